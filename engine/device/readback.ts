/** Copies GPU data back to the CPU through reused mapped buffers. */
import type { Device } from './device.ts';

export class Readback {
  readonly #device: Device;
  readonly #idle: GPUBuffer[] = [];

  constructor(device: Device) {
    this.#device = device;
  }

  /** Bytes of `source`; `sizeBytes` and `offsetBytes` must be multiples of 4. */
  async read(source: GPUBuffer, offsetBytes: number, sizeBytes: number): Promise<ArrayBuffer> {
    const staging = this.#take(sizeBytes);
    const encoder = this.#device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(source, offsetBytes, staging, 0, sizeBytes);
    this.#device.gpu.queue.submit([encoder.finish()]);
    const mapped = await this.#device.mapped(staging, staging.mapAsync(0x01 /* READ */, 0, sizeBytes), sizeBytes);
    const copy = mapped.slice(0);
    staging.unmap();
    this.#idle.push(staging);
    return copy;
  }

  async floats(source: GPUBuffer, offset: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array(await this.read(source, offset * 4, count * 4));
  }

  async words(source: GPUBuffer, offset: number, count: number): Promise<Uint32Array<ArrayBuffer>> {
    return new Uint32Array(await this.read(source, offset * 4, count * 4));
  }

  free(): void {
    for (const buffer of this.#idle.splice(0)) this.#device.memory.free(buffer);
  }

  #take(sizeBytes: number): GPUBuffer {
    const index = this.#idle.findIndex((buffer) => buffer.size >= sizeBytes);
    if (index >= 0) return this.#idle.splice(index, 1)[0];
    return this.#device.memory.allocate('staging', 'readback', sizeBytes, 0x01 /* MAP_READ */ | 0x08 /* COPY_DST */);
  }
}
