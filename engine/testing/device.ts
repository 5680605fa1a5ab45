/** Opens the adapter of the environment for tests; a test without an adapter fails, it is not skipped. */
import { create, globals } from 'webgpu';
import { type Device, openDevice } from '../device/device.ts';
import { waiterFor } from '../device/waiters.ts';
import type { ChoiceCache } from '../layers/linear/choice.ts';

Object.assign(globalThis, globals);

export interface TestDeviceOptions {
  /** Of accesses in shaders: none, or in the shaders themselves, by bringing indices within the array. */
  boundsChecks?: 'none' | 'clamp';
}

const enabled = { none: ['allow_unsafe_apis', 'disable_robustness', 'vulkan_enable_f16_on_nvidia'], clamp: ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia'] };
const disabled = { none: ['timestamp_quantization'], clamp: ['timestamp_quantization', 'vulkan_use_buffer_robust_access_2'] };

// Dawn forgets its devices when the instance is collected, so the instances live as long as the process.
const instances = new Map<string, GPU>();

export async function openTestDevice({ boundsChecks = 'none' }: TestDeviceOptions = {}): Promise<Device> {
  const instance =
    instances.get(boundsChecks) ??
    create([`enable-dawn-features=${enabled[boundsChecks].join(',')}`, `disable-dawn-features=${disabled[boundsChecks].join(',')}`]);
  instances.set(boundsChecks, instance);
  return openDevice(instance, (kind) => waiterFor(kind, () => new Promise((resolve) => void setImmediate(resolve))));
}

/** Which kernels are fastest on this adapter: measured for the first model of a test file, and remembered for the others. */
export const measuredChoices: ChoiceCache = new Map<string, string>();

/** Uploads values into a new storage buffer. */
export function upload(device: Device, values: Float32Array | Uint32Array | Int32Array | Uint8Array): GPUBuffer {
  const buffer = device.memory.storage('activations', 'test data', values.byteLength);
  device.gpu.queue.writeBuffer(buffer, 0, values as Uint8Array<ArrayBuffer>);
  return buffer;
}
