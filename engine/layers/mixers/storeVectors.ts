/** What every mixer of attention does first: rotates and scales queries, and puts keys and values where it keeps them. */
import type { Device } from '../../device/device.ts';
import type { AttentionSpec } from '../../models/spec.ts';
import type { AttentionWeights } from '../../models/weights.ts';
import type { KvLayout } from '../attention/layout.ts';
import { bindRotateAndStore } from '../attention/rotateAndStore.ts';
import type { Bound } from '../pointwise/bound.ts';
import type { AttentionInputs } from './attentionMixer.ts';

type StoringSpec = Pick<AttentionSpec, 'heads' | 'rotary' | 'queryScale' | 'temperature'>;

export function bindStoring(device: Device, spec: StoringSpec, weights: AttentionWeights, cache: { keys: GPUBuffer; values: GPUBuffer; layout: KvLayout }, inputs: AttentionInputs): Promise<Bound> {
  const { projections, queries, angles, step, maxRows, normEpsilon } = inputs;
  const { keys, values, layout } = cache;
  return bindRotateAndStore(device, {
    projections,
    queryNorm: weights.queryNorm ?? undefined,
    keyNorm: weights.keyNorm ?? undefined,
    biases: weights.biases ?? undefined,
    epsilon: normEpsilon,
    angles,
    pairing: spec.rotary.pairing,
    rotatedDims: spec.rotary.rotatedDims,
    queryScale: spec.queryScale,
    temperature: spec.temperature,
    queries,
    keys,
    values,
    layout,
    heads: spec.heads,
    step,
    maxRows,
  });
}
