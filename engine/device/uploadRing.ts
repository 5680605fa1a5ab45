/**
 * Uploads through a ring of reused mapped buffers, which the CPU fills in place while the GPU copies from others: on an
 * H100 8–10 GB/s, where `queue.writeBuffer` reaches 1 GB/s.
 */
import type { Device } from './device.ts';

export interface Upload {
  /** A source for copies, no longer mapped. */
  readonly buffer: GPUBuffer;
  /** Gives the buffer back, after the submission that copies from it; else the upload is dropped. */
  release(): void;
}

export class UploadRing {
  readonly count: number;
  readonly #device: Device;
  readonly #buffers: readonly GPUBuffer[];
  /** Each resolves when the GPU has let go of its buffer. */
  readonly #free: Promise<GPUBuffer>[];
  readonly #waiting: ((buffer: Promise<GPUBuffer>) => void)[] = [];

  constructor(device: Device, { label, sizeBytes, count }: { label: string; sizeBytes: number; count: number }) {
    this.#device = device;
    this.count = count;
    this.#buffers = Array.from({ length: count }, () => device.memory.allocate('staging', label, sizeBytes, 0x02 /* MAP_WRITE */ | 0x04 /* COPY_SRC */));
    this.#free = this.#buffers.map((buffer) => this.#map(buffer));
  }

  /** Takes the next free buffer, in the order of the calls, and lets `write` fill its words. */
  async fill(write: (words: Uint32Array) => Promise<void>): Promise<Upload> {
    const buffer = await (this.#free.shift() ?? new Promise<GPUBuffer>((resolve) => void this.#waiting.push(resolve)));
    const release = (): void => this.#give(this.#map(buffer));
    try {
      await write(new Uint32Array(await this.#device.mapped(buffer, Promise.resolve())));
    } catch (error) {
      buffer.unmap();
      release();
      throw error;
    }
    buffer.unmap();
    return { buffer, release };
  }

  free(): void {
    for (const buffer of this.#buffers) this.#device.memory.free(buffer);
  }

  #map(buffer: GPUBuffer): Promise<GPUBuffer> {
    const mapped = this.#device.settle(buffer.mapAsync(0x02 /* WRITE */)).then(() => buffer);
    // Whoever takes it hears of a failure.
    mapped.catch(() => undefined);
    return mapped;
  }

  #give(buffer: Promise<GPUBuffer>): void {
    const next = this.#waiting.shift();
    if (next) next(buffer);
    else this.#free.push(buffer);
  }
}
