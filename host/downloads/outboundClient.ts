/** The only way out of the machine: refuses when offline, and writes every request down. */
import { HostError } from '../errors.ts';
import type { OutboundLog } from '../storage/outboundLog.ts';

export class OutboundClient {
  readonly #log: OutboundLog;
  readonly #isOffline: () => boolean;

  constructor(log: OutboundLog, isOffline: () => boolean) {
    this.#log = log;
    this.#isOffline = isOffline;
  }

  refuseWhenOffline(): void {
    if (!this.#isOffline()) return;
    throw new HostError('offline', 'Longleaf is set to stay offline.', 'Turn offline mode off in the settings, or import a GGUF file by hand.');
  }

  /** Does not follow redirects: each hop is a request of its own, with its own line in the log. */
  async fetch(purpose: string, url: URL, init: RequestInit): Promise<Response> {
    this.refuseWhenOffline();
    // Queries hold signatures; they say nothing about where a request went.
    const note = this.#log.begin(purpose, `${url.origin}${url.pathname}`);
    try {
      const response = await fetch(url, { ...init, redirect: 'manual' });
      note(`status ${response.status}`);
      return response;
    } catch (error) {
      note(error instanceof Error ? describeNetworkError(error) : String(error));
      throw error;
    }
  }

  /** For another program that goes out on our behalf. */
  begin(purpose: string, address: string): (outcome: string) => void {
    this.refuseWhenOffline();
    return this.#log.begin(purpose, address);
  }
}

/** `fetch` says only "fetch failed"; the reason is in its cause. */
export function describeNetworkError(error: Error): string {
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? cause.message : error.message;
}
