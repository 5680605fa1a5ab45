/** Layers of constant state: what mechanism a description names, as parts that share one cache contract. */
import type { Device } from '../../device/device.ts';
import { convolvedChannels, type GatedDeltaSpec, type LinearSpec, type RwkvSpec, scannedChannels, type ShortConvolutionSpec, type StateSpaceSpec } from '../../models/linearSpec.ts';
import type { StateWeights } from '../../models/weights.ts';
import type { LinearKernels, LinearWeights } from '../linear/linear.ts';
import type { Mixer } from '../mixer.ts';
import { type Part, part, productWork, rowWork } from '../part.ts';
import type { Bound } from '../pointwise/bound.ts';
import { bindDeltaGates, bindUnitHeads } from '../recurrent/gatedDelta.ts';
import { bindGatedHeadNorm, type GatedHeadNormBuffers } from '../recurrent/gatedHeadNorm.ts';
import { bindScan, type ScanShape } from '../recurrent/scan.ts';
import { bindShortConvolution } from '../recurrent/shortConvolution.ts';
import { bindStateSpaceGates } from '../recurrent/stateSpace.ts';
import type { StateCache } from '../recurrent/stateCache.ts';
import { type LinearInputs, scanWork } from './linearInputs.ts';
import { rwkv, rwkvColumns } from './rwkvMixer.ts';

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
    case 'rwkv':
      return rwkvColumns(spec);
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
    case 'rwkv':
      return rwkv(device, kernels, spec, weights as StateWeights<RwkvSpec>, cache, io);
  }
}

/** What tells one mechanism from another whose projections pass through a convolution, the recurrence, and a norm with a gate. */
interface Convolved {
  columns: ReturnType<typeof linearColumns>;
  convolution: { inputOffset: number; channels: number; taps: number; weight: GPUBuffer; bias?: GPUBuffer };
  /** Makes `gates` of the projections. */
  gate: { bound: Bound; heads: number };
  /** Of convolved vectors, before the recurrence. */
  unitHeads?: Part;
  scan: Omit<ScanShape, 'stride'> & { skip?: GPUBuffer };
  norm: Pick<GatedHeadNormBuffers, 'gateOffset' | 'weight' | 'weights' | 'heads' | 'headDim' | 'gated'>;
}

async function convolved(
  device: Device,
  kernels: LinearKernels,
  projectionWeights: LinearWeights,
  cache: StateCache,
  { normed, projections, vectors, gates, mixed, step, maxRows, normEpsilon }: LinearInputs,
  { columns, convolution, gate, unitHeads, scan, norm }: Convolved,
): Promise<Part[]> {
  const { channels } = convolution;
  const [project, convolve, recur, normalise] = await Promise.all([
    kernels.bind(projectionWeights, { input: normed, output: projections, step, maxRows }),
    bindShortConvolution(device, { ...convolution, input: projections, inputColumns: columns.projections, cache, output: vectors, step, silu: true, gated: false }),
    bindScan(device, { ...scan, stride: channels, vectors, gates, cache, output: mixed, step }),
    bindGatedHeadNorm(device, { ...norm, values: mixed, gate: projections, gateStride: columns.projections, epsilon: normEpsilon, activation: 'silu' }),
  ]);
  return [
    part('linear projections', project, productWork(projectionWeights)),
    part('short convolution', convolve, rowWork(2 * channels)),
    part('linear gates', gate.bound, rowWork(4 * gate.heads)),
    ...(unitHeads ? [unitHeads] : []),
    part('recurrence', recur, scanWork({ ...scan, columns: channels + columns.mixed })),
    part('gated norm', normalise, rowWork(3 * columns.mixed)),
  ];
}

async function gatedDelta(
  device: Device,
  kernels: LinearKernels,
  spec: GatedDeltaSpec,
  { matrices, vectors: tensors }: StateWeights<GatedDeltaSpec>,
  cache: StateCache,
  io: LinearInputs,
): Promise<Part[]> {
  const { keyHeads, valueHeads: heads, headDim, taps, keyHeadOrder } = spec;
  const channels = convolvedChannels(spec);
  const columns = linearColumns(spec);
  const { projections: input, vectors, gates, step } = io;
  const gatesOffset = channels + columns.mixed;
  const run = spec.gateOrder === 'by key head' ? heads / keyHeads : heads;
  const [alphaOffset, betaOffset] = spec.gateOrder === 'by key head' ? [gatesOffset + run, gatesOffset] : [gatesOffset, gatesOffset + run];
  const bound = await bindDeltaGates(device, { input, stride: columns.projections, alphaOffset, betaOffset, run, rate: tensors.decay, bias: tensors.decayBias, gates, step, heads });
  const unit = await bindUnitHeads(device, { vectors, stride: channels, queries: keyHeads, keys: keyHeads, headDim, queryScale: 1 / Math.sqrt(headDim), epsilon: 1e-6 });
  return convolved(device, kernels, matrices.projections, cache, io, {
    columns,
    convolution: { inputOffset: 0, channels, taps, weight: tensors.convolution },
    gate: { bound, heads },
    unitHeads: part('unit heads', unit, rowWork(4 * keyHeads * headDim)),
    scan: { heads, keyHeads, keyDim: headDim, valueDim: headDim, queryOffset: 0, keyOffset: keyHeads * headDim, valueOffset: 2 * keyHeads * headDim, erase: true, keyHeadOrder },
    norm: { gateOffset: channels, weight: tensors.norm, weights: headDim, heads, headDim, gated: 'after' },
  });
}

async function stateSpace(
  device: Device,
  kernels: LinearKernels,
  spec: StateSpaceSpec,
  { matrices, vectors: tensors }: StateWeights<StateSpaceSpec>,
  cache: StateCache,
  io: LinearInputs,
): Promise<Part[]> {
  const { heads, headDim, groups, stateDim, taps } = spec;
  const channels = scannedChannels(spec);
  const columns = linearColumns(spec);
  const inner = columns.mixed;
  const { projections: input, gates, step } = io;
  const bound = await bindStateSpaceGates(device, { input, stride: columns.projections, offset: inner + channels, rate: tensors.rate, bias: tensors.stepBias, gates, step, heads });
  return convolved(device, kernels, matrices.projections, cache, io, {
    columns,
    convolution: { inputOffset: inner, channels, taps, weight: tensors.convolution, bias: tensors.convolutionBias },
    gate: { bound, heads },
    scan: {
      heads,
      keyHeads: groups,
      keyDim: stateDim,
      valueDim: headDim,
      valueOffset: 0,
      keyOffset: inner,
      queryOffset: inner + groups * stateDim,
      erase: false,
      keyHeadOrder: 'grouped',
      skip: tensors.skip,
    },
    norm: { gateOffset: 0, weight: tensors.norm, weights: inner, heads: groups, headDim: inner / groups, gated: 'before' },
  });
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
