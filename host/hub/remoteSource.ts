/** A file at the hub as the engine reads files: only the ranges that are asked for are fetched, and only so many bytes. */
import type { WeightSource } from '../../engine/ports.ts';
import { HostError } from '../errors.ts';
import { Watchdog } from '../downloads/watchdog.ts';
import { describeNetworkError } from '../downloads/outboundClient.ts';
import { refusal, retriedStatuses, tryAgainLater } from './hubAnswers.ts';
import type { HubClient, HubFile } from './hubClient.ts';

export class RemoteSource implements WeightSource {
  readonly name: string;
  readonly sizeBytes: number;
  fetchedBytes = 0;
  readonly #hub: HubClient;
  readonly #file: HubFile;
  readonly #signal: AbortSignal;

  constructor(hub: HubClient, file: HubFile, sizeBytes: number, signal: AbortSignal = new AbortController().signal) {
    this.#hub = hub;
    this.#file = file;
    this.#signal = signal;
    this.name = file.path.split('/').at(-1) ?? file.path;
    this.sizeBytes = sizeBytes;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(lengthBytes);
    let done = 0;
    for (let attempt = 0; done < lengthBytes; attempt += 1) {
      try {
        for await (const chunk of await this.#open(offsetBytes + done, offsetBytes + lengthBytes)) {
          if (done + chunk.length > lengthBytes) throw new Error('it sends more than was asked for');
          bytes.set(chunk, done);
          done += chunk.length;
          this.fetchedBytes += chunk.length;
        }
      } catch (error) {
        if (error instanceof HostError || this.#signal.aborted) throw error;
        if (attempt >= 2) throw this.#failed(describeNetworkError(error), error);
      }
    }
    return bytes;
  }

  async *#open(start: number, end: number): AsyncGenerator<Uint8Array> {
    const { firstByteTimeoutMs, stallTimeoutMs } = this.#hub.options;
    const watchdog = new Watchdog(this.#signal);
    watchdog.allow(firstByteTimeoutMs);
    try {
      const headers = { range: `bytes=${start}-${end - 1}` };
      const { response, url } = await this.#hub.follow(`read the header of ${this.name}`, this.#hub.fileUrl(this.#file), { headers, signal: watchdog.signal });
      const { status, body } = response;
      const range = response.headers.get('content-range');
      if (status !== 206 || range !== `bytes ${start}-${end - 1}/${this.sizeBytes}` || !body) {
        await body?.cancel();
        if (retriedStatuses.has(status)) throw tryAgainLater(response);
        if (status !== 206 && status !== 200 && this.#hub.isOwn(url)) {
          const { code, message, remedy } = refusal(response, this.#hub.page(this.#file.repository));
          throw new HostError(code, `The header of ${this.name} cannot be read: ${message}.`, remedy);
        }
        throw new Error(`it answered ${status} with ${range ?? 'no range'}`);
      }
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        watchdog.allow(stallTimeoutMs);
        yield chunk;
      }
    } finally {
      watchdog.stop();
    }
  }

  #failed(reason: string, cause: unknown): HostError {
    return new HostError('hub-unreachable', `The header of ${this.name} cannot be read at the hub: ${reason}.`, 'Check the network connection and try again.', { cause });
  }
}
