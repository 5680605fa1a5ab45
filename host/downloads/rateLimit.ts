/** Lets through so many bytes a second, whoever asks; those who come too early wait. */
import { setTimeout as pause } from 'node:timers/promises';

export class RateLimit {
  readonly #bytesPerSecond: () => number | null;
  #freeAtMs = 0;

  /** `null`: as fast as it comes. Read each time, so that a new limit holds at once. */
  constructor(bytesPerSecond: () => number | null) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Resolves when `bytes` more may have come. Rejects when `signal` is aborted. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const limit = this.#bytesPerSecond();
    if (limit === null) return;
    const nowMs = performance.now();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (bytes * 1000) / limit;
    if (this.#freeAtMs - nowMs > 1) await pause(this.#freeAtMs - nowMs, undefined, { signal });
  }
}
