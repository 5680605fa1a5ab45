/**
 * Reads memories again while nobody wants anything of this worker, so that damage shows on the memories page before
 * an answer needs what is damaged. Each segment once in the worker's life; the next rest goes on where the last ended.
 */
import type { MemoryStore } from '../memories/memoryStore.ts';

/** Long enough that somebody who reads an answer is not disturbed by the disk. */
const restMs = 60_000;

export class IdleScrub {
  readonly #stores: () => Promise<readonly MemoryStore[]>;
  readonly #restMs: number;
  readonly #verified = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #stop: AbortController | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(stores: () => Promise<readonly MemoryStore[]>, { restMs: wantedMs = restMs } = {}) {
    this.#stores = stores;
    this.#restMs = wantedMs;
  }

  /** Nothing is to be done: begins after a rest. */
  begin(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#stop = new AbortController();
      this.#running = this.#scrub(this.#stop.signal);
    }, this.#restMs);
    this.#timer.unref();
  }

  /** Somebody wants something. Resolves when no file is read any more. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stop?.abort();
    await this.#running;
  }

  async #scrub(signal: AbortSignal): Promise<void> {
    try {
      for (const store of await this.#stores()) await store.scrub(signal, undefined, this.#verified);
    } catch (error) {
      // Whoever needs the folder next hears of it by name.
      process.stderr.write(`memories could not be looked through: ${String(error)}\n`);
    }
  }
}
