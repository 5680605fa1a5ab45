/** The only way out of the machine: refuses when offline, and writes every request down. */
import type { EnvHttpProxyAgent, RequestInit, Response } from 'undici';
import { HostError } from '../errors.ts';
import type { OutboundLog } from '../storage/outboundLog.ts';
import { hideCredentials, readProxy } from './proxy.ts';

export interface OutboundClientOptions {
  log: OutboundLog;
  isOffline: () => boolean;
  /** Address of the proxy that the person set; null: what the environment says. Read for each request. */
  proxy?: () => string | null;
}

export class OutboundClient {
  readonly #options: OutboundClientOptions;
  #online = new AbortController();
  #agent: { proxy: string | null; dispatcher: EnvHttpProxyAgent } | null = null;

  constructor(options: OutboundClientOptions) {
    this.#options = options;
  }

  refuseWhenOffline(): void {
    if (this.#options.isOffline()) throw stayingOffline();
  }

  /** Aborted by `goOffline`. */
  get signal(): AbortSignal {
    return this.#online.signal;
  }

  /** Ends every request that is under way, bodies included. */
  goOffline(): void {
    this.#online.abort(stayingOffline());
    this.#online = new AbortController();
  }

  /** Does not follow redirects: each hop is a request of its own, with its own line in the log. */
  async fetch(purpose: string, url: URL, init: Pick<RequestInit, 'headers'> & { signal?: AbortSignal }): Promise<Response> {
    const online = this.#online.signal;
    // Queries hold signatures; they say nothing about where a request went.
    const note = this.begin(purpose, `${url.origin}${url.pathname}`);
    try {
      // Loaded with the first request: most starts make none.
      const undici = await import('./undici.ts');
      const signal = init.signal ? AbortSignal.any([init.signal, online]) : online;
      const response = await undici.fetch(url, { ...init, signal, redirect: 'manual', dispatcher: this.#dispatcher(undici) });
      note(`status ${response.status}`);
      return response;
    } catch (error) {
      note(describeNetworkError(error));
      if (online.aborted) throw stayingOffline();
      throw error;
    }
  }

  /** For another program that goes out on our behalf. */
  begin(purpose: string, address: string): (outcome: string) => void {
    this.refuseWhenOffline();
    return this.#options.log.begin(purpose, address);
  }

  async close(): Promise<void> {
    this.#online.abort(stayingOffline());
    await this.#agent?.dispatcher.destroy();
  }

  #dispatcher(undici: typeof import('./undici.ts')): EnvHttpProxyAgent {
    const proxy = this.#options.proxy?.() ?? null;
    if (this.#agent && this.#agent.proxy === proxy) return this.#agent.dispatcher;
    // What is under way on the old one ends there.
    void this.#agent?.dispatcher.close().catch(() => undefined);
    const address = proxy === null ? {} : { httpProxy: readProxy(proxy), httpsProxy: readProxy(proxy), noProxy: '' };
    // Who waits decides how long; a pause for the bandwidth limit is no fault of the server.
    const dispatcher = new undici.EnvHttpProxyAgent({ ...address, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 10_000 } });
    this.#agent = { proxy, dispatcher };
    return dispatcher;
  }
}

function stayingOffline(): HostError {
  return new HostError('offline', 'Longleaf is set to stay offline.', 'Turn offline mode off in the settings, or import a GGUF file by hand.');
}

/** `fetch` says only "fetch failed"; the reason is in its cause. */
export function describeNetworkError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return hideCredentials(cause.errors[0].message);
  return hideCredentials(cause instanceof Error ? cause.message : error.message);
}
