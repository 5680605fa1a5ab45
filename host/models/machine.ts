/** The machine as a verdict sees it. */
import { freemem } from 'node:os';
import type { WorkerSupervisor } from '../worker/supervisor.ts';
import type { AdapterReport } from '../contract/entities.ts';
import { freeBytes } from './freeSpace.ts';
import { gpuMemoryBytes } from './gpuMemory.ts';
import { machineMemoryBytes } from './machineMemory.ts';
import type { Machine } from './verdict.ts';

/** A worker that starts tells its adapter within seconds. */
const adapterWithinMs = 20_000;

/** `folder`: where downloads go. Starts the worker, which alone knows the adapter, if it has not been. */
export async function readMachine(supervisor: WorkerSupervisor, folder: string): Promise<Machine> {
  const adapter = await adapterOf(supervisor);
  const kind = adapter?.kind ?? 'gpu';
  return { kind, gpuBytes: adapter ? await gpuMemoryBytes(adapter) : null, ramBytes: machineMemoryBytes(), freeRamBytes: freemem(), diskFreeBytes: await freeBytes(folder) };
}

function adapterOf(supervisor: WorkerSupervisor): Promise<AdapterReport | null> {
  const known = supervisor.status.adapter;
  if (known) return Promise.resolve(known);
  return new Promise((resolve) => {
    const done = (adapter: AdapterReport | null) => {
      clearTimeout(timer);
      unsubscribe();
      resolve(adapter);
    };
    const timer = setTimeout(() => done(null), adapterWithinMs);
    const unsubscribe = supervisor.onStatus((status) => {
      if (status.adapter) done(status.adapter);
      else if (status.state === 'failed' || status.state === 'stopped') done(null);
    });
    supervisor.start();
  });
}
