/** Attention that drops what its network does not find worth keeping (`evicting`); what is kept is a state of constant size. */
import type { Device } from '../../device/device.ts';
import { evictingSlots, evictingState, type EvictingSpec } from '../../models/evictingSpec.ts';
import type { AttentionWeights, RouterWeights } from '../../models/weights.ts';
import { bindEvictingAttention, bindEviction, type EvictingBuffers } from '../evicting/eviction.ts';
import { bindRetentionScores, bindScoreConvolution } from '../evicting/router.ts';
import type { Mixer } from '../mixer.ts';
import { type Part, part, rowWork } from '../part.ts';
import type { StateCache } from '../recurrent/stateCache.ts';
import type { AttentionInputs } from './attentionMixer.ts';
import { bindStoring } from './storeVectors.ts';

export async function createEvictingMixer(
  device: Device,
  spec: EvictingSpec,
  weights: AttentionWeights,
  cache: StateCache,
  scratch: EvictingBuffers,
  inputs: AttentionInputs,
): Promise<Mixer> {
  const { heads, kvHeads, headDim } = spec;
  const { step, maxRows, queries } = inputs;
  if (!weights.router) throw new Error('an evicting layer without its router');
  const store = await bindStoring(device, spec, weights, { ...scratch, layout: { format: 'f32', kvHeads, headDim, capacitySlots: maxRows } }, inputs);
  const judging = await bindRouter(device, spec, weights.router, cache, scratch, inputs);
  const { plan, gather } = await bindEviction(device, { ...scratch, spec, cache, step, maxRows });
  const attend = await bindEvictingAttention(device, { ...scratch, spec, cache, queries, output: inputs.mixed, step, maxRows });
  const slots = evictingSlots(spec);
  const stateValues = 2 * kvHeads * slots * headDim;
  return {
    parts: [
      part('rotary and store', store, rowWork(2 * (heads + 2 * kvHeads) * headDim)),
      ...judging,
      part('eviction', plan, () => ({ flops: 0, bytes: 16 * kvHeads * slots })),
      part('attention', attend, ({ rows }) => ({ flops: 4 * rows * heads * headDim * slots, bytes: 4 * stateValues + 8 * rows * heads * headDim })),
      part('eviction', gather, () => ({ flops: 0, bytes: 8 * stateValues })),
    ],
    canTruncate: (length) => cache.canTruncate(length),
    checkpoint: (encoder, length) => cache.checkpoint(encoder, length),
    free: () => cache.free(),
  };
}

async function bindRouter(device: Device, spec: EvictingSpec, weights: RouterWeights, cache: StateCache, scratch: EvictingBuffers, { projections, step, maxRows }: AttentionInputs): Promise<Part[]> {
  const { heads, kvHeads: groups, headDim, router } = spec;
  const { rows: tails } = evictingState(spec);
  const parts: Part[] = [];
  let input = projections;
  for (const [stage, { inputs, outputs }] of router.convolutions.entries()) {
    const first = stage === 0;
    const output = stage % 2 === 0 ? scratch.judged : scratch.judgedNext;
    const convolve = await bindScoreConvolution(device, {
      input,
      stride: first ? (heads + 2 * groups) * headDim : groups * inputs,
      firstOffset: first ? heads * headDim : 0,
      secondOffset: first ? (heads + groups) * headDim : 0,
      split: first ? headDim : inputs,
      groups,
      inputs,
      outputs,
      ...weights.convolutions[stage],
      cache,
      tail: tails[stage],
      delayRows: 2 * (stage + 1),
      output,
      step,
    });
    parts.push(part('judging tokens', convolve, ({ rows }) => ({ flops: 6 * rows * groups * inputs * outputs, bytes: 12 * groups * inputs * outputs + 4 * rows * groups * (inputs + outputs) })));
    input = output;
  }
  const inputs = router.convolutions.at(-1)?.outputs ?? 0;
  const scores = await bindRetentionScores(device, { input, groups, inputs, ...weights.score, scores: scratch.scores, maxRows, step });
  return [...parts, part('judging tokens', scores, rowWork(groups * inputs))];
}
