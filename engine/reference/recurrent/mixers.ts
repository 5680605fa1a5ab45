/** The layers of constant state in double precision, one token at a time: the oracle of `linear` mixers. */
import { convolvedChannels, type GatedDeltaSpec, type LinearSpec, scannedChannels, type ShortConvolutionSpec, type StateSpaceSpec } from '../../models/linearSpec.ts';
import type { ReferenceWeights } from '../forward.ts';
import { silu } from '../gated.ts';
import { multiply } from '../multiply.ts';
import { deltaGates, unitHeads } from './gatedDelta.ts';
import { gatedHeadNorm } from './gatedHeadNorm.ts';
import { type FirstValues, rwkvMixer } from './rwkvMixer.ts';
import { emptyState, scan } from './scan.ts';
import { shortConvolution } from './shortConvolution.ts';
import { stateSpaceGates } from './stateSpace.ts';

/** Mixes the next token's normed row into what was seen, and returns what the layer adds. */
export type ReferenceMixer = (normed: Float64Array) => Float64Array;

export function linearMixer(spec: LinearSpec, weights: ReferenceWeights, epsilon: number, firstValues: FirstValues): ReferenceMixer {
  switch (spec.mechanism) {
    case 'gated delta':
      return gatedDelta(spec, weights, epsilon);
    case 'short convolution':
      return convolution(spec, weights);
    case 'state space':
      return stateSpace(spec, weights, epsilon);
    case 'rwkv':
      return rwkvMixer(spec, weights, firstValues);
  }
}

function gatedDelta(spec: GatedDeltaSpec, weights: ReferenceWeights, epsilon: number): ReferenceMixer {
  const { keyHeads, valueHeads: heads, headDim, taps, keyHeadOrder, tensors } = spec;
  const channels = convolvedChannels(spec);
  const keys = keyHeads * headDim;
  const values = heads * headDim;
  const tail = new Float64Array((taps - 1) * channels);
  const shape = { heads, keyHeads, keyDim: headDim, valueDim: headDim, stride: channels, queryOffset: 0, keyOffset: keys, valueOffset: 2 * keys, erase: true, keyHeadOrder };
  const state = emptyState(shape);
  const { convolution, decay, decayBias, norm } = tensors.vectors;
  return (normed) => {
    const projected = stacked(weights, tensors.matrices.projections, normed);
    const vectors = shortConvolution(projected.subarray(0, channels), weights.vector(convolution.name), tail, { channels, taps }).map(silu);
    unitHeads(vectors.subarray(0, keys), headDim, 1 / Math.sqrt(headDim), 1e-6);
    unitHeads(vectors.subarray(keys, 2 * keys), headDim, 1, 1e-6);
    const { alpha, beta } = gateRows(projected.subarray(channels + values), spec);
    const gates = deltaGates(alpha, beta, weights.vector(decay.name), weights.vector(decayBias.name));
    const read = scan(shape, vectors, gates, state);
    const gate = projected.subarray(channels, channels + values);
    const out = gatedHeadNorm(read, gate, { headDim, weight: weights.vector(norm.name), epsilon, activation: 'silu', gated: 'after' });
    return stacked(weights, tensors.matrices.output, out);
  };
}

/** Alpha and beta of each value head, however they lie. */
function gateRows(rows: Float64Array, { valueHeads, keyHeads, gateOrder }: GatedDeltaSpec): { alpha: Float64Array; beta: Float64Array } {
  if (gateOrder === 'alpha, beta') return { alpha: rows.subarray(0, valueHeads), beta: rows.subarray(valueHeads) };
  const run = valueHeads / keyHeads;
  const ofRun = (odd: number): Float64Array => rows.filter((_, i) => Math.floor(i / run) % 2 === odd);
  return { alpha: ofRun(1), beta: ofRun(0) };
}

function convolution({ channels, taps, tensors }: ShortConvolutionSpec, weights: ReferenceWeights): ReferenceMixer {
  const tail = new Float64Array((taps - 1) * channels);
  return (normed) => {
    const projected = stacked(weights, tensors.matrices.projections, normed);
    const [before, after, x] = [0, 1, 2].map((third) => projected.subarray(third * channels, (third + 1) * channels));
    const convolved = shortConvolution(before.map((value, i) => value * x[i]), weights.vector(tensors.vectors.convolution.name), tail, { channels, taps });
    return stacked(weights, tensors.matrices.output, convolved.map((value, i) => value * after[i]));
  };
}

function stateSpace(spec: StateSpaceSpec, weights: ReferenceWeights, epsilon: number): ReferenceMixer {
  const { heads, headDim, groups, stateDim, taps, tensors } = spec;
  const channels = scannedChannels(spec);
  const inner = heads * headDim;
  const tail = new Float64Array((taps - 1) * channels);
  const offsets = { valueOffset: 0, keyOffset: inner, queryOffset: inner + groups * stateDim };
  const shape = { heads, keyHeads: groups, keyDim: stateDim, valueDim: headDim, stride: channels, ...offsets, erase: false, keyHeadOrder: 'grouped' } as const;
  const state = emptyState(shape);
  const { convolution: kernel, convolutionBias, rate, stepBias, skip, norm } = tensors.vectors;
  return (normed) => {
    const projected = stacked(weights, tensors.matrices.projections, normed);
    const bias = weights.vector(convolutionBias.name);
    const vectors = shortConvolution(projected.subarray(inner, inner + channels), weights.vector(kernel.name), tail, { channels, taps, bias }).map(silu);
    const gates = stateSpaceGates(projected.subarray(inner + channels), weights.vector(rate.name), weights.vector(stepBias.name));
    const read = scan(shape, vectors, gates, state, { skip: weights.vector(skip.name) });
    const weight = weights.vector(norm.name);
    const out = gatedHeadNorm(read, projected.subarray(0, inner), { headDim: inner / groups, weight, epsilon, activation: 'silu', gated: 'before' });
    return stacked(weights, tensors.matrices.output, out);
  };
}

function stacked(weights: ReferenceWeights, tensors: readonly { name: string }[], x: Float64Array): Float64Array {
  const parts = tensors.map(({ name }) => multiply(weights.matrix(name), x));
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
