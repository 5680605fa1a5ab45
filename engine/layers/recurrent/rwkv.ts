/** What RWKV-7 does around its recurrence. Projections lie in regions of one buffer, [region][maxRows][columns] f32. */
import activateRowsText from '../../../shaders/activate_rows.wgsl';
import rwkvKeysText from '../../../shaders/rwkv_keys.wgsl';
import rwkvReadText from '../../../shaders/rwkv_read.wgsl';
import rwkvValuesText from '../../../shaders/rwkv_values.wgsl';
import tokenShiftText from '../../../shaders/token_shift.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, sharedUniform } from '../pointwise/bound.ts';
import type { StateCache } from './stateCache.ts';

const invocations = 64;

export type RowActivation = 'tanh' | 'sigmoid' | 'squared relu';

export interface TokenShiftBuffers {
  /** [rows][columns] f32; columns divisible by 4. */
  input: GPUBuffer;
  columns: number;
  /** [mixes][columns] f32. */
  lerp: GPUBuffer;
  mixes: number;
  cache: StateCache;
  /** Which of the rows that stay behind is this one's. */
  tailRow: number;
  /** [mixes][maxRows][columns] f32. */
  output: GPUBuffer;
  maxRows: number;
  step: GPUBuffer;
}

export async function bindTokenShift(device: Device, io: TokenShiftBuffers): Promise<Bound> {
  const { columns, mixes, maxRows, cache, tailRow } = io;
  if (columns % 64 !== 0) throw new RangeError(`${columns} columns must be divisible by 64`);
  const kernel = await device.kernels.get({ label: 'token_shift', texts: [tokenShiftText], constants: { INVOCATIONS: invocations } });
  const shape = sharedUniform(device, 'token shift shape', [columns / 4, mixes, maxRows]);
  const tail = (slot: 0 | 1): GPUBufferBinding => {
    const { buffer, offset = 0 } = cache.slots[slot].tail;
    return { buffer, offset: offset + 4 * columns * tailRow, size: 4 * columns };
  };
  const dispatches = ([0, 1] as const).map((source) => ({
    kernel,
    bindings: kernel.bind(io.step, shape, io.input, io.lerp, tail(source), tail(source === 0 ? 1 : 0), io.output),
  }));
  return { encode: (pass, step) => encodeDispatch(pass, dispatches[cache.turn(step)], Math.ceil(columns / 4 / invocations), step.rows) };
}

/** `columns` (divisible by 4) numbers a row, in place. */
export async function bindActivateRows(device: Device, io: { values: GPUBuffer | GPUBufferBinding; columns: number; activation: RowActivation }): Promise<Bound> {
  if (io.columns % 4 !== 0) throw new RangeError(`columns ${io.columns} must be divisible by 4`);
  const constants = { INVOCATIONS: invocations, TANH: io.activation === 'tanh', SIGMOID: io.activation === 'sigmoid' };
  const kernel = await device.kernels.get({ label: 'activate_rows', texts: [activateRowsText], constants });
  const units = io.columns / 4;
  const dispatch = { kernel, bindings: kernel.bind(sharedUniform(device, 'activation shape', [units]), io.values) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, Math.ceil(units / invocations), step.rows) };
}

/** Regions are named by where they begin in `projected`, in f32. */
export interface RwkvHeads {
  heads: number;
  headDim: number;
  /** [regions][maxRows][heads · headDim] f32. */
  projected: GPUBuffer;
  /** [rows][3 · heads · headDim] f32: queries, keys, values. */
  vectors: GPUBuffer;
}

export interface RwkvKeysBuffers extends RwkvHeads {
  keys: number;
  rates: number;
  /** Each [heads · headDim] f32. */
  keyScale: GPUBuffer;
  keyRate: GPUBuffer;
  rateBias: GPUBuffer;
  /** [rows][heads · headDim] f32. */
  decays: GPUBuffer;
  /** [rows][heads][2][headDim] f32. */
  erasers: GPUBuffer;
}

export async function bindRwkvKeys(device: Device, io: RwkvKeysBuffers): Promise<Bound> {
  const kernel = await device.kernels.get({ label: 'rwkv_keys', texts: [rwkvKeysText], constants: { INVOCATIONS: invocations } });
  const shape = sharedUniform(device, 'rwkv keys shape', [io.heads * io.headDim, io.headDim, io.keys, io.rates]);
  const dispatch = { kernel, bindings: kernel.bind(shape, io.projected, io.keyScale, io.keyRate, io.rateBias, io.decays, io.vectors, io.erasers) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, io.heads, step.rows) };
}

export interface RwkvValuesBuffers extends RwkvHeads {
  queries: number;
  values: number;
  /** null in the first layer, which writes `firstValues`. */
  mix: { region: number; bias: GPUBuffer } | null;
  /** [rows][heads · headDim] f32. */
  firstValues: GPUBuffer;
  /** [rows][heads] of (decay, strength) f32. */
  gates: GPUBuffer;
}

export async function bindRwkvValues(device: Device, io: RwkvValuesBuffers): Promise<Bound> {
  const { heads, headDim, mix } = io;
  const kernel = await device.kernels.get({ label: 'rwkv_values', texts: [rwkvValuesText], constants: { INVOCATIONS: invocations, FIRST: mix === null } });
  const shape = sharedUniform(device, 'rwkv values shape', [heads * headDim, heads, io.queries, io.values, mix?.region ?? 0]);
  const dispatch = { kernel, bindings: kernel.bind(shape, io.projected, io.firstValues, io.vectors, io.gates, ...(mix ? [mix.bias] : [])) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, Math.ceil((heads * headDim) / invocations), step.rows) };
}

export interface RwkvReadBuffers extends RwkvHeads {
  gateRegion: number;
  /** [rows][heads · headDim] f32, in place. */
  values: GPUBuffer;
  /** Each [heads · headDim] f32. */
  weight: GPUBuffer;
  bias: GPUBuffer;
  bonus: GPUBuffer;
  epsilon: number;
}

export async function bindRwkvRead(device: Device, io: RwkvReadBuffers): Promise<Bound> {
  const kernel = await device.kernels.get({ label: 'rwkv_read', texts: [rwkvReadText], constants: { INVOCATIONS: invocations } });
  const shape = sharedUniform(device, 'rwkv read shape', [io.heads * io.headDim, io.headDim, io.gateRegion, { float: io.epsilon }]);
  const dispatch = { kernel, bindings: kernel.bind(shape, io.values, io.vectors, io.projected, io.weight, io.bias, io.bonus) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, io.heads, step.rows) };
}
