/** The GPU worker and the machine it runs on, as the host sees them. */
import * as z from 'zod';
import { count, failure } from './primitives.ts';

export const gpuMemory = z.object({
  weightsBytes: count,
  kvBytes: count,
  activationsBytes: count,
  stagingBytes: count,
  totalBytes: count,
});
export type GpuMemory = z.infer<typeof gpuMemory>;

export const adapterReport = z.object({
  /** Everything the driver says of itself. */
  name: z.string(),
  /** As people call it: “NVIDIA H100”, “llvmpipe (software)”. */
  shortName: z.string(),
  vendor: z.string(),
  architecture: z.string(),
  driver: z.string(),
  /** `software` adapters run on the CPU. */
  kind: z.enum(['gpu', 'software']),
  features: z.array(z.string()),
  limits: z.record(z.string(), z.number()),
  /** How to get more speed on this machine, when there is a way. */
  advice: z.string().nullable(),
});
export type AdapterReport = z.infer<typeof adapterReport>;

/** The GPU worker as the host sees it. */
export const workerStatus = z.object({
  state: z.enum(['starting', 'ready', 'restarting', 'failed', 'stopped']),
  adapter: adapterReport.nullable(),
  memory: gpuMemory.nullable(),
  loadedModelId: z.string().nullable(),
  /** The model that is being loaded now, for whatever reason, and how far. */
  loading: z.object({ modelId: z.string(), doneBytes: count, totalBytes: count }).nullable(),
  failure: failure.nullable(),
});
export type WorkerStatus = z.infer<typeof workerStatus>;

export const machineReport = z.object({
  platform: z.string(),
  cpuModel: z.string(),
  cpuCores: count,
  memoryBytes: count,
  freeMemoryBytes: count,
  dataFolder: z.string(),
  diskFreeBytes: count,
  versions: z.record(z.string(), z.string()),
});
export type MachineReport = z.infer<typeof machineReport>;

/** A step of the loaded model, kernel by kernel in the order they ran. */
export const stepTimeline = z.object({
  phase: z.enum(['reading', 'decoding']),
  tokens: count,
  /** Tokens before it. */
  atToken: count,
  kernels: z.array(z.object({ name: z.string(), startMs: z.number(), ms: z.number() })),
});
export type StepTimeline = z.infer<typeof stepTimeline>;
