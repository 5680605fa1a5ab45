/** Layers of constant state: what mechanism a description names, as parts that share one cache contract. */
import type { Device } from '../../device/device.ts';
import { convolvedChannels, type GatedDeltaSpec, type LinearSpec, scannedChannels, type ShortConvolutionSpec, type StateSpaceSpec } from '../../models/linearSpec.ts';
import type { StateWeights } from '../../models/weights.ts';
import type { LinearKernels } from '../linear/linear.ts';
import type { Mixer } from '../mixer.ts';
import { type Part, part, productWork, rowWork } from '../part.ts';
import { bindDeltaGates, bindUnitHeads } from '../recurrent/gatedDelta.ts';
import { bindGatedHeadNorm } from '../recurrent/gatedHeadNorm.ts';
import { bindScan } from '../recurrent/scan.ts';
import { bindShortConvolution } from '../recurrent/shortConvolution.ts';
import { bindStateSpaceGates } from '../recurrent/stateSpace.ts';
import type { StateCache } from '../recurrent/stateCache.ts';
import type { Step } from '../step.ts';

export interface LinearInputs {
  /** [rows][hiddenSize] f32. */
  normed: GPUBuffer;
  /** Scratch, one row a token; how many numbers each has is what `linearColumns` says. */
  projections: GPUBuffer;
  vectors: GPUBuffer;
  gates: GPUBuffer;
  /** The result. */
  mixed: GPUBuffer;
  step: GPUBuffer;
  maxRows: number;
  normEpsilon: number;
}

/** Numbers a row of each buffer that a layer needs. */
export function linearColumns(spec: LinearSpec): { projections: number; vectors: number; gates: number; mixed: number } {
  switch (spec.mechanism) {
    case 'gated delta': {
      const { valueHeads, headDim } = spec;
      const [vectors, mixed] = [convolvedChannels(spec), valueHeads * headDim];
      return { projections: vectors + mixed + 2 * valueHeads, vectors, gates: 2 * valueHeads, mixed };
    }
    case 'short convolution':
      return { projections: 3 * spec.channels, vectors: 0, gates: 0, mixed: spec.channels };
    case 'state space': {
      const [vectors, mixed] = [scannedChannels(spec), spec.heads * spec.headDim];
      return { projections: mixed + vectors + spec.heads, vectors, gates: 2 * spec.heads, mixed };
    }
  }
}

export async function createLinearMixer(device: Device, kernels: LinearKernels, spec: LinearSpec, weights: StateWeights, cache: StateCache, io: LinearInputs): Promise<Mixer> {
  return {
    parts: await partsOf(device, kernels, spec, weights, cache, io),
    canTruncate: (length) => cache.canTruncate(length),
    checkpoint: (encoder, length) => cache.checkpoint(encoder, length),
    free: () => cache.free(),
  };
}

function partsOf(device: Device, kernels: LinearKernels, spec: LinearSpec, weights: StateWeights, cache: StateCache, io: LinearInputs): Promise<Part[]> {
  switch (spec.mechanism) {
    case 'gated delta':
      return gatedDelta(device, kernels, spec, weights as StateWeights<GatedDeltaSpec>, cache, io);
    case 'short convolution':
      return shortConvolution(device, kernels, spec, weights as StateWeights<ShortConvolutionSpec>, cache, io);
    case 'state space':
      return stateSpace(device, kernels, spec, weights as StateWeights<StateSpaceSpec>, cache, io);
  }
}

async function gatedDelta(
  device: Device,
  kernels: LinearKernels,
  spec: GatedDeltaSpec,
  { matrices, vectors: tensors }: StateWeights<GatedDeltaSpec>,
  cache: StateCache,
  { normed, projections, vectors, gates, mixed, step, maxRows, normEpsilon }: LinearInputs,
): Promise<Part[]> {
  const { keyHeads, valueHeads: heads, headDim, taps } = spec;
  const channels = convolvedChannels(spec);
  const columns = linearColumns(spec);
  const project = await kernels.bind(matrices.projections, { input: normed, output: projections, step, maxRows });
  const convolve = await bindShortConvolution(device, {
    input: projections,
    inputColumns: columns.projections,
    inputOffset: 0,
    weight: tensors.convolution,
    cache,
    output: vectors,
    step,
    channels,
    taps,
    silu: true,
    gated: false,
  });
  const normaliseHeads = await bindUnitHeads(device, {
    vectors,
    stride: channels,
    queries: keyHeads,
    keys: keyHeads,
    headDim,
    queryScale: 1 / Math.sqrt(headDim),
    epsilon: 1e-6,
  });
  const gatesOffset = channels + columns.mixed;
  const run = spec.gateOrder === 'by key head' ? heads / keyHeads : heads;
  const [alphaOffset, betaOffset] = spec.gateOrder === 'by key head' ? [gatesOffset + run, gatesOffset] : [gatesOffset, gatesOffset + run];
  const gate = await bindDeltaGates(device, {
    input: projections,
    stride: columns.projections,
    alphaOffset,
    betaOffset,
    run,
    rate: tensors.decay,
    bias: tensors.decayBias,
    gates,
    step,
    heads,
  });
  const recur = await bindScan(device, {
    heads,
    keyHeads,
    keyDim: headDim,
    valueDim: headDim,
    stride: channels,
    queryOffset: 0,
    keyOffset: keyHeads * headDim,
    valueOffset: 2 * keyHeads * headDim,
    erase: true,
    keyHeadOrder: spec.keyHeadOrder,
    vectors,
    gates,
    cache,
    output: mixed,
    step,
  });
  const normalise = await bindGatedHeadNorm(device, {
    values: mixed,
    gate: projections,
    gateStride: columns.projections,
    gateOffset: channels,
    weight: tensors.norm,
    weights: headDim,
    heads,
    headDim,
    epsilon: normEpsilon,
    activation: 'silu',
    gated: 'after',
  });
  return [
    part('linear projections', project, productWork(matrices.projections)),
    part('short convolution', convolve, rowWork(2 * channels)),
    part('linear gates', gate, rowWork(4 * heads)),
    part('unit heads', normaliseHeads, rowWork(4 * keyHeads * headDim)),
    part('recurrence', recur, scanWork({ heads, keyDim: headDim, valueDim: headDim, columns: channels + columns.mixed })),
    part('gated norm', normalise, rowWork(3 * columns.mixed)),
  ];
}

async function shortConvolution(
  device: Device,
  kernels: LinearKernels,
  { channels, taps }: ShortConvolutionSpec,
  { matrices, vectors: tensors }: StateWeights<ShortConvolutionSpec>,
  cache: StateCache,
  { normed, projections, mixed, step, maxRows }: LinearInputs,
): Promise<Part[]> {
  const project = await kernels.bind(matrices.projections, { input: normed, output: projections, step, maxRows });
  const convolve = await bindShortConvolution(device, {
    input: projections,
    inputColumns: 3 * channels,
    inputOffset: 0,
    weight: tensors.convolution,
    cache,
    output: mixed,
    step,
    channels,
    taps,
    silu: false,
    gated: true,
  });
  return [part('linear projections', project, productWork(matrices.projections)), part('short convolution', convolve, rowWork(4 * channels))];
}

async function stateSpace(
  device: Device,
  kernels: LinearKernels,
  spec: StateSpaceSpec,
  { matrices, vectors: tensors }: StateWeights<StateSpaceSpec>,
  cache: StateCache,
  { normed, projections, vectors, gates, mixed, step, maxRows, normEpsilon }: LinearInputs,
): Promise<Part[]> {
  const { heads, headDim, groups, stateDim, taps } = spec;
  const channels = scannedChannels(spec);
  const columns = linearColumns(spec);
  const inner = columns.mixed;
  const project = await kernels.bind(matrices.projections, { input: normed, output: projections, step, maxRows });
  const convolve = await bindShortConvolution(device, {
    input: projections,
    inputColumns: columns.projections,
    inputOffset: inner,
    weight: tensors.convolution,
    bias: tensors.convolutionBias,
    cache,
    output: vectors,
    step,
    channels,
    taps,
    silu: true,
    gated: false,
  });
  const gate = await bindStateSpaceGates(device, {
    input: projections,
    stride: columns.projections,
    offset: inner + channels,
    rate: tensors.rate,
    bias: tensors.stepBias,
    gates,
    step,
    heads,
  });
  const recur = await bindScan(device, {
    heads,
    keyHeads: groups,
    keyDim: stateDim,
    valueDim: headDim,
    stride: channels,
    valueOffset: 0,
    keyOffset: inner,
    queryOffset: inner + groups * stateDim,
    erase: false,
    keyHeadOrder: 'grouped',
    vectors,
    gates,
    cache,
    skip: tensors.skip,
    output: mixed,
    step,
  });
  const normalise = await bindGatedHeadNorm(device, {
    values: mixed,
    gate: projections,
    gateStride: columns.projections,
    gateOffset: 0,
    weight: tensors.norm,
    weights: inner,
    heads: groups,
    headDim: inner / groups,
    epsilon: normEpsilon,
    activation: 'silu',
    gated: 'before',
  });
  return [
    part('linear projections', project, productWork(matrices.projections)),
    part('short convolution', convolve, rowWork(2 * channels)),
    part('linear gates', gate, rowWork(3 * heads)),
    part('recurrence', recur, scanWork({ heads, keyDim: stateDim, valueDim: headDim, columns: channels + inner })),
    part('gated norm', normalise, rowWork(3 * inner)),
  ];
}

/** A multiplication and an addition for each number of the state to decay, read, write and be read again; the state read and written once. */
function scanWork({ heads, keyDim, valueDim, columns }: { heads: number; keyDim: number; valueDim: number; columns: number }): (step: Step) => { flops: number; bytes: number } {
  const state = heads * keyDim * valueDim;
  return ({ rows }) => ({ flops: 8 * rows * state, bytes: 8 * state + 4 * rows * columns });
}
