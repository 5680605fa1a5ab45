/** Where a layer's keys are: on the GPU, or far and streamed through, a window at a time. */
import type { Device } from '../device/device.ts';
import { KvCache } from '../kv/cache.ts';
import { isPlainAttention } from '../models/spec.ts';
import type { FarMemory } from '../kv/tiers/farLayer.ts';
import { StateCache } from '../layers/recurrent/stateCache.ts';
import type { Runner } from '../runner.ts';
import type { KeyRange } from './rangeKernels.ts';

/** What to encode for a range that is on the GPU when it runs. */
export type UseRange = (range: KeyRange) => Promise<(pass: GPUComputePassEncoder) => void>;

/** Each kind of keys that the layers of a model have, once. */
export function keysRead({ caches, far, spec }: Runner): { headDim: number; format: KeyRange['format'] }[] {
  const all = caches.flatMap((cache, layer) => {
    const { mixer } = spec.blocks[layer];
    if (cache instanceof StateCache || !isPlainAttention(mixer)) return [];
    const formats = cache instanceof KvCache ? [cache.layout.format] : (['f16', far?.plan.format ?? 'f16'] as const);
    return formats.map((format) => ({ headDim: mixer.headDim, format }));
  });
  return [...new Map(all.map((one) => [`${one.headDim} ${one.format}`, one])).values()];
}

/** Submits `use` for all keys of a layer that rows from `position` on can see, in ranges. `endKey`: of the sequence. */
export async function forEachRange(device: Device, runner: Runner, layer: number, { position, endKey }: { position: number; endKey: number }, use: UseRange): Promise<void> {
  const cache = runner.caches[layer];
  const submit = async (range: KeyRange, before?: (encoder: GPUCommandEncoder) => void): Promise<void> => {
    const encode = await use(range);
    const encoder = device.gpu.createCommandEncoder();
    before?.(encoder);
    const pass = encoder.beginComputePass({ label: 'inspection' });
    encode(pass);
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
  };
  if (cache instanceof KvCache) {
    const { layout, windowTokens, keys } = cache;
    const firstKey = windowTokens === null ? 0 : Math.max(0, position - windowTokens + 1);
    return submit({ keys, format: layout.format, capacitySlots: layout.capacitySlots, slotOrigin: 0, firstKey, endKey });
  }
  if (cache instanceof StateCache) throw new RangeError(`layer ${layer} has no keys`);
  return farRanges(runner, cache, endKey, submit);
}

async function farRanges(runner: Runner, { ring }: FarMemory, endKey: number, submit: (range: KeyRange, before?: (encoder: GPUCommandEncoder) => void) => Promise<void>): Promise<void> {
  const { far } = runner;
  if (!far) throw new RangeError('a far layer without a far context');
  const index = far.layers.findIndex(({ memory }) => memory.ring === ring);
  const { stageTokens, format } = far.plan;
  far.windows.begin([index], { first: 0, end: far.sealed, windowTokens: stageTokens });
  try {
    for (let done = 0; done < far.sealed; ) {
      const window = await far.windows.next();
      const { keys } = far.scratch.stages[window.stage];
      await submit({ keys, format, capacitySlots: stageTokens, slotOrigin: window.first, firstKey: window.first, endKey: window.first + window.tokens }, (encoder) => window.encode(encoder));
      window.submitted();
      done += window.tokens;
    }
  } catch (error) {
    await far.windows.cancel();
    throw error;
  }
  await submit({ keys: ring.keys, format: 'f16', capacitySlots: ring.layout.capacitySlots, slotOrigin: 0, firstKey: far.sealed, endKey });
}
