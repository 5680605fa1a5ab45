/** What a hub says by status and headers, in words and in kind. */
import type { Response } from 'undici';
import { HostError } from '../errors.ts';

/** Worth another try after a pause; `afterMs` when the server said how long. */
export class Interrupted extends Error {
  readonly afterMs: number | undefined;

  constructor(message: string, afterMs?: number) {
    super(message);
    this.afterMs = afterMs;
  }
}

export const retriedStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);

/** How long a server asks to wait: `Retry-After` in seconds or as a date, else the reset of `RateLimit: "api";r=0;t=55`. */
export function statedPauseMs(headers: Response['headers'], nowMs = Date.now()): number | undefined {
  const retryAfter = headers.get('retry-after');
  if (retryAfter !== null) {
    const atMs = /^\d+(\.\d+)?$/.test(retryAfter) ? nowMs + Number(retryAfter) * 1000 : Date.parse(retryAfter);
    if (Number.isFinite(atMs)) return Math.max(0, atMs - nowMs);
  }
  const reset = /;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  return reset === undefined ? undefined : Number(reset) * 1000;
}

export function tryAgainLater(response: Response): Interrupted {
  const { status, headers } = response;
  const pauseMs = statedPauseMs(headers);
  const wait = pauseMs !== undefined && pauseMs >= 1000 ? ` and asks to wait ${Math.ceil(pauseMs / 1000)} s` : '';
  return new Interrupted(status === 429 ? `it was asked too often (429)${wait}` : `it answered ${status}${wait}`, pauseMs);
}

/** A refusal that another try would not mend. `page`: where a person can look at the repository. */
export function refusal(response: Response, page: string): HostError {
  const { status, headers } = response;
  const code = headers.get('x-error-code');
  if (code === 'GatedRepo') {
    return new HostError(
      'hub-gated',
      `the file is there only for those who accepted its terms (${status})`,
      `Accept them at ${page}, then give Longleaf an access token of your account.`,
    );
  }
  if (code === 'RepoNotFound' || status === 401) {
    return new HostError(
      'hub-not-found',
      `there is no such repository, or it is private (${status})`,
      'Check its name; for a private one, give Longleaf an access token that may read it.',
    );
  }
  if (code === 'RevisionNotFound') return new HostError('hub-not-found', `the repository has no such revision (${status})`, 'Choose another, or leave it out.');
  if (status === 404) return new HostError('hub-not-found', 'the file is not there (404)', `Look which files there are at ${page}.`);
  return new HostError('download-failed', `it answered ${status}`, 'Choose another source.');
}
