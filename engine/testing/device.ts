/** Opens the adapter of the environment for tests; a test without an adapter fails, it is not skipped. */
import { create, globals } from 'webgpu';
import { type Device, openDevice } from '../device/device.ts';
import { waiterFor } from '../device/waiters.ts';

Object.assign(globalThis, globals);

// Dawn forgets its devices when the instance is collected, so the instance lives as long as the process.
let instance: GPU | undefined;

export async function openTestDevice(): Promise<Device> {
  instance ??= create(['enable-dawn-features=allow_unsafe_apis,disable_robustness,vulkan_enable_f16_on_nvidia', 'disable-dawn-features=timestamp_quantization']);
  return openDevice(instance, (kind) => waiterFor(kind, () => new Promise((resolve) => void setImmediate(resolve))));
}

/** Uploads values into a new storage buffer. */
export function upload(device: Device, values: Float32Array | Uint32Array | Int32Array | Uint8Array): GPUBuffer {
  const buffer = device.memory.storage('activations', 'test data', values.byteLength);
  device.gpu.queue.writeBuffer(buffer, 0, values as Uint8Array<ArrayBuffer>);
  return buffer;
}
