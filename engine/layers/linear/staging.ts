/**
 * Fills GPU buffers and textures through a ring of reused mapped staging buffers: one order of magnitude faster
 * than `queue.writeBuffer`, and no second copy of the model in memory.
 */
import type { Device } from '../../device/device.ts';

const slotBytes = 8 * 1024 * 1024;
const slotCount = 3;

export class StagingRing {
  readonly #device: Device;
  readonly #slots: { buffer: GPUBuffer; mapped: Promise<undefined> }[] = [];
  #next = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  /** Bytes that one `write` may carry. */
  readonly capacityBytes = slotBytes;

  /**
   * Lets `fill` write `sizeBytes` zeroed bytes (a multiple of 4) and queues their copy with `copy`.
   * Resolves when the copy is queued, not when it has run.
   */
  async write(
    sizeBytes: number,
    fill: (words: Uint32Array) => void,
    copy: (encoder: GPUCommandEncoder, staging: GPUBuffer) => void,
  ): Promise<void> {
    const slot = this.#slot();
    const words = new Uint32Array(await this.#device.mapped(slot.buffer, slot.mapped, sizeBytes));
    words.fill(0);
    fill(words);
    slot.buffer.unmap();
    const encoder = this.#device.gpu.createCommandEncoder();
    copy(encoder, slot.buffer);
    this.#device.gpu.queue.submit([encoder.finish()]);
    slot.mapped = slot.buffer.mapAsync(0x02 /* WRITE */);
    // A loss between two writes must not surface as an unhandled rejection; `settle` reports it.
    slot.mapped.catch(() => undefined);
  }

  free(): void {
    for (const slot of this.#slots.splice(0)) this.#device.memory.free(slot.buffer);
    this.#next = 0;
  }

  #slot() {
    const index = this.#next;
    this.#next = (index + 1) % slotCount;
    if (!this.#slots[index]) {
      const buffer = this.#device.memory.allocate('staging', 'upload', slotBytes, 0x02 /* MAP_WRITE */ | 0x04 /* COPY_SRC */);
      this.#slots[index] = { buffer, mapped: buffer.mapAsync(0x02 /* WRITE */) };
    }
    return this.#slots[index];
  }
}
