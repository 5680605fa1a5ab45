/** Requests to a hub that speaks Hugging Face's protocol. The token goes to the hub's own host and nowhere else. */
import type { Response } from 'undici';
import { HostError } from '../errors.ts';
import { type OutboundClient, describeNetworkError } from '../downloads/outboundClient.ts';
import { Watchdog } from '../downloads/watchdog.ts';

export interface HubOptions {
  endpoint: string;
  /** Asked for each request; null: none. */
  token(): Promise<string | null>;
  firstByteTimeoutMs: number;
  /** Within this time at least a few kilobytes must come. */
  stallTimeoutMs: number;
  firstRetryPauseMs: number;
  /** Tries in a row that bring nothing before a download gives up. */
  retries: number;
  /** Ranges of one file at the same time. */
  connections: number;
}

export function hubOptions(environment: NodeJS.ProcessEnv = process.env): HubOptions {
  return {
    endpoint: environment['HF_ENDPOINT'] || 'https://huggingface.co',
    token: () => Promise.resolve(environment['HF_TOKEN'] || null),
    firstByteTimeoutMs: 8000,
    stallTimeoutMs: 30_000,
    firstRetryPauseMs: 1000,
    retries: 10,
    connections: 4,
  };
}

export interface HubFile {
  repository: string;
  /** Branch, tag or commit. */
  revision: string;
  path: string;
}

const maximumRedirects = 10;
/** Whatever a hub answers in JSON is read up to here. */
const maximumJsonBytes = 32 * 2 ** 20;

export class HubClient {
  readonly options: HubOptions;
  readonly outbound: OutboundClient;
  readonly endpoint: URL;

  constructor(outbound: OutboundClient, options: HubOptions) {
    this.outbound = outbound;
    this.options = options;
    this.endpoint = new URL(options.endpoint);
  }

  /** Below the endpoint, which may have a path of its own. */
  url(path: string): URL {
    return new URL(`${this.endpoint.pathname.replace(/\/$/, '')}/${path}`, this.endpoint);
  }

  fileUrl({ repository, revision, path }: HubFile): URL {
    return this.url(`${encodePath(repository)}/resolve/${encodeURIComponent(revision)}/${encodePath(path)}`);
  }

  page(repository: string): string {
    return this.url(encodePath(repository)).href;
  }

  isOwn(url: URL): boolean {
    return url.host === this.endpoint.host && url.protocol === this.endpoint.protocol;
  }

  /** One request; no redirect is followed. */
  async request(purpose: string, url: URL, { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {}): Promise<Response> {
    // Compressed, sizes and ranges would mean something else.
    const sent: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'longleaf', ...headers };
    const token = this.isOwn(url) ? await this.options.token() : null;
    // The places it redirects to carry their own signature; some refuse a second one, none should learn ours.
    if (token) sent['authorization'] = `Bearer ${token}`;
    return this.outbound.fetch(purpose, url, { headers: sent, signal });
  }

  /** Follows redirects; `onHop` sees every answer on the way and may refuse it. Resolves with the last answer and where it came from. */
  async follow(purpose: string, start: URL, options: { headers?: Record<string, string>; signal?: AbortSignal; onHop?: (response: Response) => void }): Promise<{ response: Response; url: URL }> {
    let url = start;
    for (let hop = 0; hop <= maximumRedirects; hop += 1) {
      const response = await this.request(purpose, url, options);
      try {
        options.onHop?.(response);
      } catch (error) {
        await response.body?.cancel();
        throw error;
      }
      const target = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || !target) return { response, url };
      await response.body?.cancel();
      const next = URL.parse(target, url);
      if (!next || (next.protocol !== 'https:' && next.protocol !== url.protocol)) {
        throw new HostError('download-failed', 'it redirected to an address that is not safe', 'Try again later.');
      }
      url = next;
    }
    throw new HostError('download-failed', `it redirected more than ${maximumRedirects} times`, 'Try again later.');
  }

  /** An answer in JSON. `read` turns statuses other than 200 into failures. */
  async json(purpose: string, url: URL, refuse: (response: Response) => Error, signal?: AbortSignal): Promise<{ value: unknown; headers: Response['headers'] }> {
    const watchdog = new Watchdog(signal ?? new AbortController().signal);
    watchdog.allow(this.options.firstByteTimeoutMs);
    try {
      const { response } = await this.follow(purpose, url, { signal: watchdog.signal, headers: { accept: 'application/json' } });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw refuse(response);
      }
      watchdog.allow(this.options.stallTimeoutMs);
      return { value: JSON.parse(await readText(response)), headers: response.headers };
    } catch (error) {
      if (error instanceof HostError || signal?.aborted) throw error;
      const reason = watchdog.expired ? 'nothing came in time' : error instanceof SyntaxError ? 'its answer is not JSON' : describeNetworkError(error);
      throw new HostError('hub-unreachable', `The hub ${this.endpoint.host} does not answer as it should: ${reason}.`, 'Check the network connection, the proxy and the hub’s address in the settings.', { cause: error });
    } finally {
      watchdog.stop();
    }
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > maximumJsonBytes) throw new Error('its answer is too long');
  }
  return text + decoder.decode();
}

export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
