/**
 * The GPU's time of every single dispatch, by timestamp queries: each is put into a pass of its own, whoever encodes it.
 * Gaps between passes are not in the sums, and caches are as warm as the dispatch before left them.
 */
import type { Device } from '../device/device.ts';
import { mostQueries, withTimestamps } from './timestamps.ts';

export interface DispatchTime {
  /** The kernel's label. */
  kernel: string;
  ms: number;
}

/** Runs what `encode` encodes. null where the adapter has no timestamps; dispatches beyond the 2048th are left out. */
export async function timeDispatches(device: Device, encode: (pass: GPUComputePassEncoder) => void): Promise<DispatchTime[] | null> {
  if (!device.gpu.features.has('timestamp-query')) return null;
  const names: string[] = [];
  const nanoseconds = await withTimestamps(device, mostQueries, (encoder, querySet) => {
    let pipeline: GPUComputePipeline | null = null;
    let group: GPUBindGroup | null = null;
    // What kernels call on a pass, and nothing else.
    const splitting = {
      setPipeline: (wanted: GPUComputePipeline) => void (pipeline = wanted),
      setBindGroup: (_: number, wanted: GPUBindGroup) => void (group = wanted),
      dispatchWorkgroups: (x: number, y = 1, z = 1) => {
        if (!pipeline) throw new RangeError('a dispatch without a pipeline');
        const first = 2 * names.length;
        const pass = encoder.beginComputePass(first < mostQueries ? { timestampWrites: { querySet, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 } } : {});
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(x, y, z);
        pass.end();
        if (first < mostQueries) names.push(pipeline.label);
      },
    };
    encode(splitting as unknown as GPUComputePassEncoder);
  });
  return names.map((kernel, index) => ({ kernel, ms: Number(nanoseconds[2 * index + 1] - nanoseconds[2 * index]) / 1e6 }));
}

/** Dispatches and milliseconds by kernel, in the order of their first dispatch. */
export function sumByKernel(times: readonly DispatchTime[]): Record<string, { dispatches: number; ms: number }> {
  const sums: Record<string, { dispatches: number; ms: number }> = {};
  for (const { kernel, ms } of times) {
    const sum = (sums[kernel] ??= { dispatches: 0, ms: 0 });
    sum.dispatches++;
    sum.ms = Math.round(1e4 * (sum.ms + ms)) / 1e4;
  }
  return sums;
}
