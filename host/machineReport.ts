/** What this machine can do, apart from its GPU, which the worker reports. */
import { arch, cpus, freemem, platform, release } from 'node:os';
import type { MachineReport } from './contract/entities.ts';
import { appVersion } from './locations.ts';
import { freeBytes } from './models/freeSpace.ts';
import { machineMemoryBytes } from './models/machineMemory.ts';

export async function reportMachine(dataFolder: string): Promise<MachineReport> {
  const processors = cpus();
  return {
    platform: `${platform()} ${arch()} ${release()}`,
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    cpuCores: processors.length,
    memoryBytes: machineMemoryBytes(),
    freeMemoryBytes: freemem(),
    dataFolder,
    diskFreeBytes: await freeBytes(dataFolder),
    versions: { longleaf: appVersion(), node: process.versions.node, v8: process.versions.v8, sqlite: process.versions['sqlite'] ?? 'unknown' },
  };
}
