/**
 * A model file from a hub that speaks Hugging Face's protocol: `resolve` answers with the file's size
 * and SHA-256 and redirects to where the bytes are. Ranges are asked of `resolve` again each time,
 * because the addresses it redirects to expire.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { CatalogueEntry } from '../contract/entities.ts';
import { HostError, cancelled } from '../errors.ts';
import { formatBytes } from '../wording.ts';
import { describeNetworkError } from './outboundClient.ts';
import type { FetchTask } from './source.ts';

type HubLocation = Extract<CatalogueEntry['sources'][number], { kind: 'hub' }>;

export interface HubOptions {
  endpoint: string;
  /** Sent to the endpoint's own host only. */
  token?: string;
  firstByteTimeoutMs: number;
  stallTimeoutMs: number;
  firstRetryPauseMs: number;
  retries: number;
}

export function hubOptions(environment: NodeJS.ProcessEnv = process.env): HubOptions {
  return {
    endpoint: environment['HF_ENDPOINT'] ?? 'https://huggingface.co',
    token: environment['HF_TOKEN'],
    firstByteTimeoutMs: 5000,
    stallTimeoutMs: 30_000,
    firstRetryPauseMs: 1000,
    retries: 5,
  };
}

/** Worth another try after a pause; `afterMs` when the server said how long. */
class Interrupted extends Error {
  readonly afterMs: number | undefined;
  constructor(message: string, afterMs?: number) {
    super(message);
    this.afterMs = afterMs;
  }
}

const retriedStatuses = new Set([408, 429, 500, 502, 503, 504]);
const longestPauseMs = 30_000;
const maximumRedirects = 10;

export async function fetchFromHub(location: HubLocation, task: FetchTask, options: HubOptions): Promise<void> {
  const { entry, part, signal } = task;
  if (part.bytes > entry.sizeBytes) await part.restart();
  for (let attempt = 0; part.bytes < entry.sizeBytes; attempt += 1) {
    const before = part.bytes;
    try {
      await fetchOnce(location, task, options);
    } catch (error) {
      if (signal.aborted) throw cancelled();
      if (!(error instanceof Interrupted)) throw error;
      // Whatever moved forward starts the count again.
      if (part.bytes > before) attempt = 0;
      if (attempt >= options.retries) throw new HostError('download-failed', error.message, 'Try again later.', { cause: error });
      const pauseMs = error.afterMs ?? options.firstRetryPauseMs * 2 ** attempt;
      await pause(Math.min(pauseMs, longestPauseMs), undefined, { signal }).catch(() => {
        throw cancelled();
      });
    }
  }
}

async function fetchOnce(location: HubLocation, task: FetchTask, options: HubOptions): Promise<void> {
  const { part, entry } = task;
  const watchdog = new Watchdog(task.signal);
  let heardFrom = false;
  try {
    watchdog.allow(options.firstByteTimeoutMs);
    const response = await followRedirects(location, task, options, watchdog.signal);
    heardFrom = true;
    await checkStart(response, task);
    if (!response.body) throw new Interrupted('the answer has no content');
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      watchdog.allow(options.stallTimeoutMs);
      if (part.bytes + chunk.length > entry.sizeBytes) {
        await part.restart();
        throw wrongFile(`it sends more than the ${entry.sizeBytes} bytes of the file`);
      }
      await part.append(chunk);
      task.onProgress(part.bytes);
    }
    if (part.bytes < entry.sizeBytes) throw new Interrupted(`the connection ended after ${formatBytes(part.bytes)} of ${formatBytes(entry.sizeBytes)}`);
  } catch (error) {
    if (error instanceof HostError || error instanceof Interrupted || task.signal.aborted) throw error;
    const limit = heardFrom ? options.stallTimeoutMs : options.firstByteTimeoutMs;
    const reason = watchdog.expired
      ? `nothing came for ${Math.round(limit / 1000)} s`
      : describeNetworkError(error instanceof Error ? error : new Error(String(error)));
    // Not reached at all: another source is worth more than another try here.
    if (!heardFrom) throw new HostError('download-failed', reason, 'Check the network connection.', { cause: error });
    throw new Interrupted(reason);
  } finally {
    watchdog.stop();
  }
}

async function followRedirects(location: HubLocation, task: FetchTask, options: HubOptions, signal: AbortSignal): Promise<Response> {
  const base = new URL(options.endpoint);
  const path = [location.repository, 'resolve', location.revision, location.path].map(encodePath).join('/');
  let url = new URL(`${base.pathname.replace(/\/$/, '')}/${path}`, base);
  for (let hop = 0; hop <= maximumRedirects; hop += 1) {
    const headers: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'longleaf' };
    if (task.part.bytes > 0) headers['range'] = `bytes=${task.part.bytes}-`;
    // The places it redirects to carry their own signature; some refuse a second one, none should learn ours.
    if (options.token && url.host === base.host) headers['authorization'] = `Bearer ${options.token}`;
    const response = await task.client.fetch(`download ${task.entry.name}`, url, { headers, signal });
    checkIdentity(response, task.entry);
    const target = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || !target) return response;
    await response.body?.cancel();
    url = new URL(target, url);
  }
  throw new HostError('download-failed', `it redirected more than ${maximumRedirects} times`, 'Try again later.');
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** The hub states size and SHA-256 before the first byte: another file is refused at once. */
function checkIdentity(response: Response, entry: CatalogueEntry): void {
  const linkedSize = response.headers.get('x-linked-size');
  if (linkedSize !== null && Number(linkedSize) !== entry.sizeBytes) {
    throw wrongFile(`it holds a file of ${linkedSize} bytes, not ${entry.sizeBytes}`);
  }
  const linkedDigest = response.headers.get('x-linked-etag')?.replace(/^W\//, '').replaceAll('"', '');
  if (linkedDigest && /^[0-9a-f]{64}$/.test(linkedDigest) && linkedDigest !== entry.sha256) {
    throw wrongFile(`it holds a file with the SHA-256 ${linkedDigest}, not ${entry.sha256}`);
  }
}

async function checkStart(response: Response, { part, entry }: FetchTask): Promise<void> {
  const { status, headers } = response;
  if (status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '');
    if (range && Number(range[1]) === part.bytes && Number(range[2]) === entry.sizeBytes) return;
    await response.body?.cancel();
    await part.restart();
    throw new Interrupted(`it answered with another range (${headers.get('content-range') ?? 'none'})`);
  }
  if (status === 200) {
    const length = headers.get('content-length');
    if (length !== null && Number(length) !== entry.sizeBytes) {
      await response.body?.cancel();
      throw wrongFile(`it holds a file of ${length} bytes, not ${entry.sizeBytes}`);
    }
    // The server does not do ranges: from the start.
    if (part.bytes > 0) await part.restart();
    return;
  }
  await response.body?.cancel();
  if (status === 416) {
    await part.restart();
    throw new Interrupted('it has no such range');
  }
  if (retriedStatuses.has(status)) {
    const retryAfterSeconds = Number(headers.get('retry-after') ?? Number.NaN);
    throw new Interrupted(`it answered ${status}`, Number.isFinite(retryAfterSeconds) ? retryAfterSeconds * 1000 : undefined);
  }
  throw new HostError('download-failed', describeStatus(status, headers.get('x-error-code')), 'Choose another source.');
}

function describeStatus(status: number, code: string | null): string {
  if (code === 'GatedRepo') return `the file is there only for those who accepted its terms (${status})`;
  if (code === 'RepoNotFound' || status === 401) return `there is no such repository, or it is private (${status})`;
  if (status === 404) return 'the file is not there (404)';
  return `it answered ${status}`;
}

function wrongFile(reason: string): HostError {
  return new HostError('checksum-mismatch', reason, 'Choose another source.');
}

/** Aborts when nothing was allowed for too long, or when the person stops. */
class Watchdog {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  expired = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#controller.signal]);
  }

  allow(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.expired = true;
      this.#controller.abort();
    }, milliseconds);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
