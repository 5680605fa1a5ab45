/**
 * The whole forward pass on the CPU in plain TypeScript: the oracle for the GPU. It reads top to
 * bottom like the papers, uses dequantised weights and double precision, and keeps every key and
 * value; a sliding layer just does not look at the old ones.
 */
import { type AttentionSpec, biasOf, type ChannelMixSpec, type FeedForwardSpec, type GatedSpec, type ModelSpec } from '../models/spec.ts';
import { chooseExperts, expertRows } from './experts.ts';
import type { EvictingSpec } from '../models/evictingSpec.ts';
import type { SparseSpec } from '../models/sparseSpec.ts';
import { keptTokens, RouterReference } from './evicting.ts';
import { divisorsFor, rotaryFrequencies } from '../layers/rotary.ts';
import { multiply, type ReferenceMatrix } from './multiply.ts';
import { sparseRow } from './sparse.ts';
import { linearMixer } from './recurrent/mixers.ts';
import { channelMix } from './recurrent/rwkvMixer.ts';

export type { ReferenceMatrix } from './multiply.ts';

export interface ReferenceWeights {
  matrix(name: string): ReferenceMatrix;
  vector(name: string): Float32Array;
}

export interface ReferenceOptions {
  /** Tokens [start, end) that layers which see everything do not see from position `from` on. */
  removed?: { start: number; end: number; from: number };
  /** Hears the shares that a head gives to the keys from position `first` on. */
  onShares?(layer: number, position: number, head: number, first: number, shares: readonly number[]): void;
}

/** Logits after every token, [tokens][vocabularySize]. `contextTokens`: the window that the GPU would have. */
export function referenceForward(
  spec: ModelSpec,
  weights: ReferenceWeights,
  tokens: readonly number[],
  contextTokens = tokens.length,
  options: ReferenceOptions = {},
): Float64Array[] {
  const embedding = weights.matrix(spec.embedding.tensor);
  const norm = (x: Float64Array, name: string): Float64Array =>
    spec.normKind === 'layer' ? layerNorm(x, weights.vector(name), weights.vector(biasOf(name)), spec.normEpsilon) : normalise(x, weights.vector(name), spec.normEpsilon);
  const firstValues = { current: new Float64Array(0) };
  const mixers = spec.blocks.map(({ mixer }, index) => {
    if (mixer.kind === 'linear') return linearMixer(mixer, weights, spec.normEpsilon, firstValues);
    const cache: ReferenceCache = { keys: [], values: [], judged: [], contextTokens };
    return (normed: Float64Array, position: number) => attend(mixer, weights, cache, normed, position, spec.normEpsilon, options, index);
  });
  const feedForwards = spec.blocks.map(({ feedForward: one }) => (one.kind === 'channel mix' ? channelMix(one, weights) : (normed: Float64Array) => feedForward(one, weights, normed)));
  return tokens.map((token, position) => {
    const row = embedding.values.subarray(token * spec.hiddenSize, (token + 1) * spec.hiddenSize);
    const embedded = Float64Array.from(row, (value) => value * spec.embedding.scale);
    const hidden = spec.embedding.norm ? norm(embedded, spec.embedding.norm) : embedded;
    spec.blocks.forEach((block, index) => {
      const mixed = mixers[index](norm(hidden, block.mixerNorm), position);
      add(hidden, block.mixerPostNorm ? norm(mixed, block.mixerPostNorm) : mixed, spec.residualScale);
      const fed = feedForwards[index](norm(hidden, block.feedForwardNorm));
      add(hidden, block.feedForwardPostNorm ? norm(fed, block.feedForwardPostNorm) : fed, spec.residualScale);
    });
    const logits = multiply(weights.matrix(spec.outputTensor), norm(hidden, spec.outputNorm));
    return logits.map((logit) => logit * spec.logitScale);
  });
}

interface ReferenceCache {
  keys: Float64Array[];
  values: Float64Array[];
  /** For each key head of an evicting layer its network, and the rows that it judges: key and value as they are projected. */
  judged: { rows: Float64Array[]; network: RouterReference }[];
  contextTokens: number;
}

function attend(
  spec: AttentionSpec | SparseSpec | EvictingSpec,
  weights: ReferenceWeights,
  cache: ReferenceCache,
  normed: Float64Array,
  position: number,
  epsilon: number,
  { removed, onShares }: ReferenceOptions,
  layer: number,
): Float64Array {
  const { tensors, heads, kvHeads, headDim } = spec;
  const projected = stack(tensors.projections.map(weights.matrix), normed);
  const biases = tensors.biases.flatMap((name) => [...weights.vector(name)]);
  biases.forEach((bias, i) => (projected[i] += bias));
  const queryRows = projected.subarray(0, (spec.gatedQueries ? 2 : 1) * heads * headDim);
  const queries = spec.gatedQueries ? everyOtherHead(queryRows, headDim, 0) : queryRows;
  const keys = projected.slice(queryRows.length, queryRows.length + kvHeads * headDim);
  const values = projected.slice(queryRows.length + kvHeads * headDim);
  const kept = spec.kind === 'evicting' ? keptOf(spec, weights, cache, keys.slice(), values, position) : null;
  const divisors = divisorsFor(spec.rotary, cache.contextTokens);
  const frequencies = rotaryFrequencies(spec.rotary, divisors ? weights.vector(divisors) : null);
  const prepare = (vector: Float64Array, count: number, norm: string | null): void => {
    for (let head = 0; head < count; head++) {
      const slice = vector.subarray(head * headDim, (head + 1) * headDim);
      if (norm) slice.set(normalise(slice, weights.vector(norm), epsilon));
      rotate(slice, spec, frequencies, position);
    }
  };
  prepare(queries, heads, tensors.queryNorm);
  prepare(keys, kvHeads, tensors.keyNorm);
  cache.keys.push(keys);
  cache.values.push(values);

  if (spec.kind === 'sparse') {
    const scaled = queries.map((query) => query * spec.queryScale);
    return multiply(weights.matrix(tensors.output), sparseRow(spec, scaled, cache.keys, cache.values, multiply(weights.matrix(spec.gates.name), normed)));
  }

  const temperature = spec.temperature ? 1 + spec.temperature.rate * Math.log(1 + Math.floor(position / spec.temperature.tokens)) : 1;
  const first = spec.windowTokens === null ? 0 : Math.max(0, position - spec.windowTokens + 1);
  const out = new Float64Array(heads * headDim);
  for (let head = 0; head < heads; head++) {
    const query = queries.subarray(head * headDim, (head + 1) * headDim);
    const from = Math.floor(head / (heads / kvHeads)) * headDim;
    const seenTokens = kept?.[from / headDim] ?? Array.from({ length: position + 1 - first }, (_, i) => first + i);
    const scores = [];
    for (const p of seenTokens) {
      const seen = !removed || spec.windowTokens !== null || position < removed.from || p < removed.start || p >= removed.end;
      scores.push(seen ? spec.queryScale * temperature * dot(query, cache.keys[p], from) : -Infinity);
    }
    const shares = softmax(scores);
    onShares?.(layer, position, head, first, shares);
    shares.forEach((share, i) => {
      for (let d = 0; d < headDim; d++) out[head * headDim + d] += share * cache.values[seenTokens[i]][from + d];
    });
  }
  if (spec.gatedQueries) everyOtherHead(queryRows, headDim, 1).forEach((gate, i) => (out[i] /= 1 + Math.exp(-gate)));
  return multiply(weights.matrix(tensors.output), out);
}

/** For each key head the tokens that an evicting layer's row sees. */
function keptOf(spec: EvictingSpec, weights: ReferenceWeights, { judged }: ReferenceCache, keys: Float64Array, values: Float64Array, position: number): number[][] {
  const { kvHeads, headDim, router } = spec;
  const layer = ({ weight, bias }: Record<'weight' | 'bias', { name: string }>) => ({ weight: weights.vector(weight.name), bias: weights.vector(bias.name) });
  const numbers = { convolutions: router.convolutions.map(layer), score: layer(router.score) };
  return Array.from({ length: kvHeads }, (_, head) => {
    const own = (rows: Float64Array): Float64Array => rows.subarray(head * headDim, (head + 1) * headDim);
    if (!judged[head]) {
      const rows: Float64Array[] = [];
      judged[head] = { rows, network: new RouterReference(router.convolutions, numbers, head, rows) };
    }
    const { rows, network } = judged[head];
    rows.push(Float64Array.from([...own(keys), ...own(values)]));
    return keptTokens(spec, position, (token) => network.score(token));
  });
}

/** Rows of queries (phase 0) or of gates (phase 1), which alternate head by head. */
function everyOtherHead(rows: Float64Array, headDim: number, phase: 0 | 1): Float64Array {
  return rows.filter((_, i) => Math.floor(i / headDim) % 2 === phase);
}

function feedForward(spec: Exclude<FeedForwardSpec, ChannelMixSpec>, weights: ReferenceWeights, normed: Float64Array): Float64Array {
  if (spec.kind === 'gated') return gated(spec, spec.tensors.gateUp.map(weights.matrix), weights.matrix(spec.tensors.down), normed);
  const { tensors, activation, width, shared } = spec;
  const { experts, shares } = chooseExperts(multiply(weights.matrix(tensors.router), normed), spec.chosen, spec.normalised, spec.scale);
  const out = new Float64Array(normed.length);
  for (const [slot, expert] of experts.entries()) {
    const own = (name: string): ReferenceMatrix => expertRows(weights.matrix(name), spec.experts, expert) as ReferenceMatrix;
    add(out, gated({ activation, width }, tensors.gateUp.map(own), own(tensors.down), normed), shares[slot]);
  }
  if (!shared) return out;
  const gate = shared.tensors.gate ? sigmoid(multiply(weights.matrix(shared.tensors.gate), normed)[0]) : 1;
  add(out, gated({ activation, width: shared.width }, shared.tensors.gateUp.map(weights.matrix), weights.matrix(shared.tensors.down), normed), gate);
  return out;
}

function gated({ activation, width }: Pick<GatedSpec, 'activation' | 'width'>, gateUp: readonly ReferenceMatrix[], down: ReferenceMatrix, normed: Float64Array): Float64Array {
  const both = stack(gateUp, normed);
  const [gate, up] = [both.subarray(0, width), both.subarray(width)];
  const activate = activation === 'silu' ? silu : geluTanh;
  return multiply(down, gate.map((value, i) => activate(value) * up[i]));
}

function rotate(x: Float64Array, { rotary }: Pick<AttentionSpec, 'rotary'>, frequencies: Float64Array, position: number): void {
  const half = rotary.rotatedDims / 2;
  for (let i = 0; i < half; i++) {
    const [a, b] = rotary.pairing === 'adjacent' ? [2 * i, 2 * i + 1] : [i, i + half];
    const cos = rotary.magnitude * Math.cos(position * frequencies[i]);
    const sin = rotary.magnitude * Math.sin(position * frequencies[i]);
    [x[a], x[b]] = [x[a] * cos - x[b] * sin, x[a] * sin + x[b] * cos];
  }
}

function normalise(x: Float64Array, weight: Float32Array, epsilon: number): Float64Array {
  const meanSquare = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  const scale = 1 / Math.sqrt(meanSquare + epsilon);
  return x.map((value, i) => value * scale * weight[i]);
}

function layerNorm(x: Float64Array, weight: Float32Array, bias: Float32Array, epsilon: number): Float64Array {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  return normalise(x.map((value) => value - mean), weight, epsilon).map((value, i) => value + bias[i]);
}

/** Products with several matrices, one after another. */
function stack(matrices: readonly ReferenceMatrix[], x: Float64Array): Float64Array {
  return Float64Array.from(matrices.flatMap((matrix) => [...multiply(matrix, x)]));
}

function dot(a: Float64Array, b: Float64Array, from: number): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[from + i];
  return sum;
}

function softmax(scores: readonly number[]): number[] {
  const maximum = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - maximum));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

function add(x: Float64Array, y: Float64Array, scale: number): void {
  for (let i = 0; i < x.length; i++) x[i] += scale * y[i];
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const silu = (x: number): number => x / (1 + Math.exp(-x));
const geluTanh = (x: number): number => 0.5 * x * (1 + Math.tanh(0.7978845608028654 * (x + 0.044715 * x ** 3)));
