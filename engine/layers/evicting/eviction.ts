/** What an `evicting` layer keeps: which tokens a step's rows see, attention to them, and the cache after the step. */
import attentionPlacesText from '../../../shaders/attention_places.wgsl';
import evictGatherText from '../../../shaders/evict_gather.wgsl';
import evictPlanText from '../../../shaders/evict_plan.wgsl';
import evictingAttentionText from '../../../shaders/evicting_attention.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { evictingSlots, evictingState, type EvictingSpec, routerLead } from '../../models/evictingSpec.ts';
import { type Bound, sharedUniform } from '../pointwise/bound.ts';
import type { StateCache } from '../recurrent/stateCache.ts';
import { tailPart } from './router.ts';

const invocations = 64;

/** Scratch that the evicting layers of a model share. */
export interface EvictingBuffers {
  /** [kvHead][maxRows][headDim] f32: the rotated keys and the values of a step's rows. */
  keys: GPUBuffer;
  values: GPUBuffer;
  /** [rows][kvHeads][outputs] f32: results of the convolutions; one of them is read while the other is written. */
  judged: GPUBuffer;
  judgedNext: GPUBuffer;
  /** [kvHead][maxRows] f32. */
  scores: GPUBuffer;
  /** See `evict_plan.wgsl`. */
  until: GPUBuffer;
  sources: GPUBuffer;
}

export interface EvictionBuffers extends Pick<EvictingBuffers, 'keys' | 'values' | 'scores' | 'until' | 'sources'> {
  spec: EvictingSpec;
  cache: StateCache;
  step: GPUBuffer;
  maxRows: number;
}

/** Decides, then moves. Attention belongs between them. */
export async function bindEviction(device: Device, io: EvictionBuffers): Promise<{ plan: Bound; gather: Bound }> {
  const { spec, cache, step, maxRows } = io;
  const { kvHeads, headDim, windowTokens, sinkTokens, budgetTokens } = spec;
  const slots = evictingSlots(spec);
  const units = headDim / 4;
  const { slots: meta } = evictingState(spec);
  const planKernel = await device.kernels.get({ label: 'evict_plan', texts: [evictPlanText], constants: { INVOCATIONS: invocations, BUDGET: budgetTokens } });
  const planShape = sharedUniform(device, 'evict plan shape', [maxRows, windowTokens, sinkTokens, routerLead]);
  const gatherKernel = await device.kernels.get({ label: 'evict_gather', texts: [evictGatherText], constants: { INVOCATIONS: invocations } });
  const gatherShape = sharedUniform(device, 'evict gather shape', [slots, maxRows, units]);
  const turns = ([0, 1] as const).map((source) => {
    const target = source === 0 ? 1 : 0;
    return {
      plan: { kernel: planKernel, bindings: planKernel.bind(step, planShape, io.scores, tailPart(cache, source, meta), tailPart(cache, target, meta), io.until, io.sources) },
      gather: { kernel: gatherKernel, bindings: gatherKernel.bind(step, gatherShape, io.sources, cache.slots[source].matrix, io.keys, io.values, cache.slots[target].matrix) },
    };
  });
  return {
    plan: { encode: (pass, now) => encodeDispatch(pass, turns[cache.turn(now)].plan, kvHeads) },
    gather: { encode: (pass, now) => encodeDispatch(pass, turns[cache.turn(now)].gather, Math.ceil((2 * units) / invocations), slots, kvHeads) },
  };
}

export interface EvictingAttentionBuffers extends Pick<EvictingBuffers, 'keys' | 'values' | 'until'> {
  spec: EvictingSpec;
  cache: StateCache;
  /** [rows][heads · headDim] f32, scaled. */
  queries: GPUBuffer;
  output: GPUBuffer;
  step: GPUBuffer;
  maxRows: number;
}

export async function bindEvictingAttention(device: Device, io: EvictingAttentionBuffers): Promise<Bound> {
  const { spec, cache } = io;
  const { heads, kvHeads, headDim } = spec;
  if (headDim % 4 !== 0 || headDim > 4 * invocations) throw new RangeError(`heads of ${headDim} must be divisible by 4 and at most ${4 * invocations}`);
  const kernel = await device.kernels.get({ label: 'evicting_attention', texts: [attentionPlacesText, evictingAttentionText], constants: { INVOCATIONS: invocations } });
  const shape = sharedUniform(device, 'evicting attention shape', [heads, kvHeads, evictingSlots(spec), io.maxRows, headDim / 4]);
  const dispatches = ([0, 1] as const).map((source) => ({
    kernel,
    bindings: kernel.bind(io.step, shape, io.queries, cache.slots[source].matrix, io.until, io.keys, io.values, io.output),
  }));
  return { encode: (pass, step) => encodeDispatch(pass, dispatches[cache.turn(step)], step.rows, heads) };
}
