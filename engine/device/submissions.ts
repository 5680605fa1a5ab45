/**
 * Submits work and keeps the CPU only a little ahead of the GPU: enough that the GPU never waits, not so much that a
 * stop would come late.
 */
import type { Device } from './device.ts';

export class Submissions {
  /** Submissions that may be under way when another one is made. */
  readonly ahead = 2;
  readonly #device: Device;
  readonly #running: Promise<unknown>[] = [];

  constructor(device: Device) {
    this.#device = device;
  }

  /** Calls `submitted` at once and resolves when all submissions but the last ones have run. */
  async submit(encoder: GPUCommandEncoder, submitted?: () => void): Promise<void> {
    this.#device.gpu.queue.submit([encoder.finish()]);
    submitted?.();
    const done = this.#device.finished();
    // The next one to wait hears of a failure.
    done.catch(() => undefined);
    this.#running.push(done);
    if (this.#running.length > this.ahead) await this.#running.shift();
  }
}
