/**
 * A device whose storage buffers have a guard behind them: bindings reach into it, so that a write past the end lands
 * there, where it is found. Software adapters drop writes that leave a binding, which hides them otherwise.
 *
 * Where shaders clamp their indices (`boundsChecks: 'clamp'`), every stray write lands in the last word of the guard,
 * however far it was meant to go; where nothing is checked, those of the next `guardBytes` land where they would. The
 * guard is all ones, which is NaN as a number: what is read from it and used shows in the results.
 */
import { Device } from '../device/device.ts';
import { openTestDevice, type TestDeviceOptions } from './device.ts';

const guardBytes = 16_384;
const guardByte = 0xff;
const mapUsages = 0x01 | 0x02;
const storageUsage = 0x80;

interface Guarded {
  buffer: GPUBuffer;
  label: string;
  sizeBytes: number;
  /** Freed by the engine; it is kept until the guards are looked at. */
  freed: boolean;
  destroy(): void;
}

export interface GuardedDevice {
  device: Device;
  /** Waits for the work so far; the labels of buffers behind which something was written. Their guards are renewed. */
  strayWrites(): Promise<string[]>;
}

export async function openGuardedDevice(options: TestDeviceOptions): Promise<GuardedDevice> {
  const { gpu, facts, waiter } = await openTestDevice(options);
  const guards = new Set<Guarded>();
  const watched = watch(gpu, guards);
  return { device: new Device(watched, facts, waiter), strayWrites: () => strayWrites(gpu, guards) };
}

function watch(gpu: GPUDevice, guards: Set<Guarded>): GPUDevice {
  const fill = new Uint8Array(guardBytes).fill(guardByte);
  const createBuffer = (descriptor: GPUBufferDescriptor): GPUBuffer => {
    if (!(descriptor.usage & storageUsage) || descriptor.usage & mapUsages) return gpu.createBuffer(descriptor);
    const sizeBytes = descriptor.size;
    const buffer = gpu.createBuffer({ ...descriptor, size: sizeBytes + guardBytes, usage: descriptor.usage | 0x04 /* COPY_SRC */ | 0x08 /* COPY_DST */ });
    gpu.queue.writeBuffer(buffer, sizeBytes, fill);
    const guarded: Guarded = { buffer, label: descriptor.label ?? '', sizeBytes, freed: false, destroy: buffer.destroy.bind(buffer) };
    guards.add(guarded);
    // The engine sees the size that it asked for.
    Object.defineProperty(buffer, 'size', { value: sizeBytes });
    Object.defineProperty(buffer, 'destroy', { value: () => void (guarded.freed = true) });
    return buffer;
  };
  const createCommandEncoder = (descriptor?: GPUCommandEncoderDescriptor): GPUCommandEncoder => {
    const encoder = gpu.createCommandEncoder(descriptor);
    const clear = encoder.clearBuffer.bind(encoder);
    Object.defineProperty(encoder, 'clearBuffer', {
      value: (buffer: GPUBuffer, offset = 0, size = buffer.size - offset) => clear(buffer, offset, size),
    });
    return encoder;
  };
  const replaced: Partial<GPUDevice> = { createBuffer, createCommandEncoder };
  return new Proxy(gpu, {
    get(target, name) {
      const own: unknown = Reflect.get(replaced, name) ?? Reflect.get(target, name, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

async function strayWrites(gpu: GPUDevice, guards: Set<Guarded>): Promise<string[]> {
  const all = [...guards];
  const staging = gpu.createBuffer({ size: Math.max(1, all.length) * guardBytes, usage: 0x01 /* MAP_READ */ | 0x08 /* COPY_DST */ });
  const encoder = gpu.createCommandEncoder();
  for (const [index, { buffer, sizeBytes }] of all.entries()) encoder.copyBufferToBuffer(buffer, sizeBytes, staging, index * guardBytes, guardBytes);
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(0x01 /* READ */);
  const words = new Uint32Array(staging.getMappedRange());
  const found = all.filter((_, index) => words.subarray((index * guardBytes) / 4, ((index + 1) * guardBytes) / 4).some((word) => word !== 0xffff_ffff));
  staging.destroy();
  for (const { buffer, sizeBytes } of found) gpu.queue.writeBuffer(buffer, sizeBytes, new Uint8Array(guardBytes).fill(guardByte));
  for (const guarded of all) {
    if (!guarded.freed) continue;
    guards.delete(guarded);
    guarded.destroy();
  }
  return found.map(({ label }) => label);
}
