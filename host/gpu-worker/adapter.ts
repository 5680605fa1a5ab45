/**
 * Opens the WebGPU adapter that the launcher chose by environment variables, through Dawn, with its bounds checks in
 * shaders (“robustness”) or without them. They cost 1.3–2×. Our kernels guard their bounds, which is tested for the
 * models of the catalogue; a file that anybody may have made gets the checks as well.
 */
import { availableParallelism } from 'node:os';
import { create, globals } from 'webgpu';
import { type AdapterFacts, type Device, openDevice } from '../../engine/device/device.ts';
import { waiterFor } from '../../engine/device/waiters.ts';
import { openBusyWork } from '../../engine/measure/warmUp.ts';
import type { AdapterReport } from '../contract/entities.ts';
import { placeThreads, threadsNow } from './driverThreads.ts';
import { TransferFiles } from './transferFiles.ts';

// f16 on NVIDIA is held back by a toggle.
const toggles = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia'];

Object.assign(globalThis, globals);
// Dawn takes the checks from the instance, and forgets its devices when that is collected: both live as long as the process.
const instances = new Map<boolean, GPU>();

const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export async function openAdapter({ boundsChecks }: { boundsChecks: boolean }): Promise<Device> {
  const before = new Set(threadsNow());
  const instance = instances.get(boundsChecks) ?? createInstance(boundsChecks);
  instances.set(boundsChecks, instance);
  const device = await openDevice(instance, (kind) => waiterFor(kind, yieldToEventLoop, () => TransferFiles.areCopying));
  if (device.facts.kind === 'software' && process.env['LONGLEAF_PLACE_THREADS'] !== 'no') {
    await placeDriverThreads(device, threadsNow().filter((thread) => !before.has(thread)));
  }
  return device;
}

async function placeDriverThreads(device: Device, threads: readonly number[]): Promise<void> {
  const busy = await openBusyWork(device, { chains: 1, turns: 128 });
  await placeThreads(threads, (effort) => busy.run(8 * effort * availableParallelism()));
  busy.free();
}

function createInstance(boundsChecks: boolean): GPU {
  const enabled = boundsChecks ? toggles : [...toggles, 'disable_robustness'];
  // Timestamps are blurred against spying on other pages, of which there are none.
  return create([`enable-dawn-features=${enabled.join(',')}`, 'disable-dawn-features=timestamp_quantization']);
}

export function reportAdapter(facts: AdapterFacts): AdapterReport {
  const { name, shortName, vendor, architecture, driver, kind, features, limits } = facts;
  const advice = process.env['LONGLEAF_ADAPTER_ADVICE'] || null;
  return { name, shortName, vendor, architecture, driver, kind, features, limits, advice };
}
