/** RWKV-7's time mix (`linear`, mechanism `rwkv`) and the channel mix that takes the place of a feed-forward, as parts. */
import type { Device } from '../../device/device.ts';
import { rwkvNormEpsilon, type RwkvSpec } from '../../models/linearSpec.ts';
import type { ChannelMixWeights, StateWeights } from '../../models/weights.ts';
import type { LinearKernels, LinearWeights } from '../linear/linear.ts';
import { type Part, part, productWork, rowWork } from '../part.ts';
import { bindKeyDecays } from '../recurrent/keyDecays.ts';
import { bindActivateRows, bindRwkvKeys, bindRwkvRead, bindRwkvValues, bindTokenShift, type RowActivation } from '../recurrent/rwkv.ts';
import { bindScan } from '../recurrent/scan.ts';
import type { StateCache } from '../recurrent/stateCache.ts';
import { type LinearInputs, scanWork } from './linearInputs.ts';

/** Uses that a layer makes of its rows mixed with the rows before: r, w, k, v, α, gate, as the file has them. */
export const rwkvMixes = 6;
/** Products of a row: queries, keys, values, decays, rates, mixes of values, gates. */
const regions = 7;
/** Which mixed row each product is of. */
const mixOf = { receptance: 0, decay: 1, key: 2, value: 3, rate: 4, gate: 5 } as const;

export function rwkvColumns({ heads, headDim }: RwkvSpec): { projections: number; vectors: number; gates: number; mixed: number } {
  const columns = heads * headDim;
  return { projections: regions * columns, vectors: 3 * columns, gates: 2 * heads, mixed: columns };
}

export async function rwkv(
  device: Device,
  kernels: LinearKernels,
  spec: RwkvSpec,
  { matrices, vectors: tensors }: StateWeights<RwkvSpec>,
  cache: StateCache,
  { normed, projections, vectors, gates, mixed, rwkv: scratch, step, maxRows }: LinearInputs,
): Promise<Part[]> {
  if (!scratch) throw new Error('a layer of RWKV without its scratch');
  const { heads, headDim, first } = spec;
  const { shifted, low, decays, erasers, firstValues } = scratch;
  const columns = heads * headDim;
  const region = (buffer: GPUBuffer, index: number): GPUBufferBinding => ({ buffer, offset: 4 * index * maxRows * columns, size: 4 * maxRows * columns });
  const begin = (index: number): number => index * maxRows * columns;
  const product = async (name: string, weights: LinearWeights, input: GPUBuffer | GPUBufferBinding, output: GPUBuffer | GPUBufferBinding): Promise<Part> =>
    part(name, await kernels.bind(weights, { input, output, step, maxRows }), productWork(weights));
  /** Through few numbers, and from them to all. */
  const lowRank = async (into: LinearWeights, outOf: LinearWeights, mix: number, target: number, activation: RowActivation | null): Promise<Part[]> => {
    const rank = into.shape.outputs;
    return [
      await product('linear projections', into, region(shifted, mix), low),
      ...(activation ? [part('linear gates', await bindActivateRows(device, { values: low, columns: rank, activation }), rowWork(2 * rank))] : []),
      await product('linear projections', outOf, low, region(projections, target)),
    ];
  };
  const shift = await bindTokenShift(device, { input: normed, columns, lerp: tensors.shift, mixes: rwkvMixes, cache, tailRow: 0, output: shifted, maxRows, step });
  const common = { heads, headDim, projected: projections, vectors };
  const decay = await bindKeyDecays(device, { form: 'bounded', input: projections, stride: columns, offset: begin(3), bias: tensors.decayBias, rate: tensors.decayBias, output: decays, heads, headDim });
  const keys = await bindRwkvKeys(device, { ...common, keys: begin(1), rates: begin(4), keyScale: tensors.keyScale, keyRate: tensors.keyRate, rateBias: tensors.rateBias, decays, erasers });
  const values = await bindRwkvValues(device, { ...common, queries: begin(0), values: begin(2), mix: first ? null : { region: begin(5), bias: tensors.mixBias }, firstValues, gates });
  const recur = await bindScan(device, {
    heads,
    keyHeads: heads,
    keyDim: headDim,
    valueDim: headDim,
    stride: 3 * columns,
    queryOffset: 0,
    keyOffset: columns,
    valueOffset: 2 * columns,
    erase: 'vectors',
    keyHeadOrder: 'grouped',
    vectors,
    gates,
    cache,
    decays,
    erasers,
    output: mixed,
    step,
  });
  const read = await bindRwkvRead(device, { ...common, gateRegion: begin(6), values: mixed, weight: tensors.norm, bias: tensors.normBias, bonus: tensors.bonus, epsilon: rwkvNormEpsilon });
  return [
    part('token shift', shift, rowWork((1 + rwkvMixes) * columns)),
    await product('linear projections', matrices.receptance, region(shifted, mixOf.receptance), region(projections, 0)),
    await product('linear projections', matrices.key, region(shifted, mixOf.key), region(projections, 1)),
    await product('linear projections', matrices.value, region(shifted, mixOf.value), region(projections, 2)),
    ...(await lowRank(matrices.decayIn, matrices.decayOut, mixOf.decay, 3, 'tanh')),
    ...(await lowRank(matrices.rateIn, matrices.rateOut, mixOf.rate, 4, null)),
    ...(first ? [] : await lowRank(matrices.mixIn, matrices.mixOut, mixOf.value, 5, null)),
    ...(await lowRank(matrices.gateIn, matrices.gateOut, mixOf.gate, 6, 'sigmoid')),
    part('linear gates', decay, rowWork(2 * columns)),
    part('linear gates', keys, rowWork(6 * columns)),
    part('linear gates', values, rowWork(5 * columns)),
    part('recurrence', recur, scanWork({ heads, keyDim: headDim, valueDim: headDim, columns: 7 * columns })),
    part('gated norm', read, rowWork(6 * columns)),
  ];
}

export interface ChannelMixInputs {
  /** [rows][columns] f32. */
  input: GPUBuffer;
  /** What the result is added to. */
  hidden: GPUBuffer;
  /** Scratch, [rows][width]. */
  keys: GPUBuffer;
  shifted: GPUBuffer;
  columns: number;
  step: GPUBuffer;
  maxRows: number;
}

/** hidden += value · relu(key · x')²; the row that stays behind is in the state of the block's mixer. */
export async function bindChannelMix(device: Device, kernels: LinearKernels, { shift, key, value }: ChannelMixWeights, cache: StateCache, io: ChannelMixInputs): Promise<Part[]> {
  const { input, hidden, keys, shifted, columns, step, maxRows } = io;
  const width = key.shape.outputs;
  const shifting = await bindTokenShift(device, { input, columns, lerp: shift, mixes: 1, cache, tailRow: 1, output: shifted, maxRows, step });
  return [
    part('token shift', shifting, rowWork(2 * columns)),
    part('gate and up', await kernels.bind(key, { input: shifted, output: keys, step, maxRows }), productWork(key)),
    part('gate', await bindActivateRows(device, { values: keys, columns: width, activation: 'squared relu' }), rowWork(2 * width)),
    part('down', await kernels.bind(value, { input: keys, output: hidden, step, maxRows, accumulate: true }), productWork(value)),
  ];
}
