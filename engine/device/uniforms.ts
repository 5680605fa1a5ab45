/** Small constant blocks for kernels, laid out as WGSL uniform structs of 4-byte members. */
import type { Device } from './device.ts';

export type UniformValue = number | { float: number };

/** Packs members in order: plain numbers as u32, `{float}` as f32. Size is rounded up to 16 bytes. */
export function packUniforms(values: readonly UniformValue[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(values.length / 4) * 16);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    if (typeof value === 'number') view.setUint32(index * 4, value, true);
    else view.setFloat32(index * 4, value.float, true);
  });
  return bytes;
}

/** A uniform buffer that never changes: the shape of one dispatch. */
export function constantUniform(device: Device, label: string, values: readonly UniformValue[]): GPUBuffer {
  const bytes = packUniforms(values);
  const buffer = device.memory.allocate('activations', label, bytes.byteLength, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  device.gpu.queue.writeBuffer(buffer, 0, bytes);
  return buffer;
}
