/** Opens the WebGPU adapter that the launcher chose by environment variables, through Dawn. */
import { create, globals } from 'webgpu';
import { type AdapterFacts, type Device, openDevice } from '../../engine/device/device.ts';
import { waiterFor } from '../../engine/device/waiters.ts';
import type { AdapterReport } from '../contract/entities.ts';

// f16 on NVIDIA is held back by a toggle; robustness costs 1.3–2× and our kernels guard their bounds.
const toggles = ['allow_unsafe_apis', 'disable_robustness', 'vulkan_enable_f16_on_nvidia'];

Object.assign(globalThis, globals);
// Dawn forgets its devices when the instance is collected, so it lives as long as the process.
// Timestamps are blurred against spying on other pages, of which there are none.
const instance = create([`enable-dawn-features=${toggles.join(',')}`, 'disable-dawn-features=timestamp_quantization']);

const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export function openAdapter(): Promise<Device> {
  return openDevice(instance, (kind) => waiterFor(kind, yieldToEventLoop));
}

export function reportAdapter(facts: AdapterFacts): AdapterReport {
  const { name, shortName, vendor, architecture, driver, kind, features, limits } = facts;
  const advice = process.env['LONGLEAF_ADAPTER_ADVICE'] || null;
  return { name, shortName, vendor, architecture, driver, kind, features, limits, advice };
}
