/**
 * One step as the GPU sees it: when each kernel began and ended, by timestamp queries. Each part is a pass of its own, so
 * the gaps between passes are the adapter's and not the kernels'.
 */
import type { Device } from '../device/device.ts';
import type { Part } from '../layers/part.ts';
import type { Step } from '../layers/step.ts';
import { mostQueries, withTimestamps } from './timestamps.ts';

export interface TimelineEntry {
  name: string;
  /** Since the first kernel began. */
  startMs: number;
  ms: number;
}

/** null where the adapter has no timestamps, or a step has more kernels than can be asked for. */
export async function traceStep(device: Device, parts: readonly Part[], step: Step): Promise<TimelineEntry[] | null> {
  // What another kernel does too has no pass.
  const traced = parts.filter((one) => one.work(step).flops + one.work(step).bytes > 0);
  const count = 2 * traced.length;
  if (!device.gpu.features.has('timestamp-query') || count > mostQueries) return null;
  const nanoseconds = await withTimestamps(device, count, (encoder, querySet) => {
    for (const [index, one] of traced.entries()) {
      const pass = encoder.beginComputePass({ label: one.name, timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * index, endOfPassWriteIndex: 2 * index + 1 } });
      one.encode(pass, step);
      pass.end();
    }
  });
  const since = (index: number): number => Number(nanoseconds[index] - nanoseconds[0]) / 1e6;
  return traced.map(({ name }, index) => ({ name, startMs: since(2 * index), ms: since(2 * index + 1) - since(2 * index) }));
}
