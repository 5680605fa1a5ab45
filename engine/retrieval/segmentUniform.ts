/**
 * From which sealed segment on the indexes are to be built. All layers read the same number, so it is
 * written once before the submission that builds some segments of every layer:
 *
 *     struct Segment { first: u32 }
 */
import type { Device } from '../device/device.ts';
import { packUniforms } from '../device/uniforms.ts';

export class SegmentUniform {
  readonly buffer: GPUBuffer;
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
    this.buffer = device.memory.allocate('activations', 'segment', 16, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  }

  /** Queued in order with the submissions around it. */
  write(first: number): void {
    this.#device.gpu.queue.writeBuffer(this.buffer, 0, packUniforms([first]));
  }

  free(): void {
    this.#device.memory.free(this.buffer);
  }
}
