/** Norm and rotary embedding of queries and keys, and the store into the cache, in one dispatch. */
import rotateStoreText from '../../../shaders/rotate_store.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, kernelFamilies, sharedUniform } from '../pointwise/bound.ts';
import type { KvLayout } from './layout.ts';

export interface RotateAndStoreBuffers {
  /** [rows][(heads + 2·kvHeads)·headDim] f32: queries | keys | values. */
  projections: GPUBuffer;
  /** [headDim] f32 each; both or none. */
  queryNorm?: GPUBuffer;
  keyNorm?: GPUBuffer;
  /** [(heads + 2·kvHeads)·headDim] f32, added to the projections first. */
  biases?: GPUBuffer;
  epsilon: number;
  /** [rows][rotatedDims / 2] of (cos, sin) f32, written for each step. */
  angles: GPUBuffer;
  /** Which dimensions turn together: (2i, 2i + 1) or (i, i + rotatedDims / 2). */
  pairing: 'adjacent' | 'halves';
  /** Divisible by 4, at most headDim, may be 0; the dimensions after them pass unchanged. */
  rotatedDims: number;
  /** Multiplies the queries, usually 1/√headDim. */
  queryScale: number;
  /** Multiplies the query at position p further by 1 + rate · ln(1 + ⌊p / tokens⌋). */
  temperature?: { rate: number; tokens: number } | null;
  /** [rows][heads·headDim] f32, written. */
  queries: GPUBuffer;
  keys: GPUBuffer;
  values: GPUBuffer;
  layout: KvLayout;
  heads: number;
  step: GPUBuffer;
  maxRows: number;
}

export async function bindRotateAndStore(device: Device, io: RotateAndStoreBuffers, family = kernelFamilies(device)[0]): Promise<Bound> {
  const { layout, heads, rotatedDims, queryNorm, keyNorm, biases, temperature } = io;
  const { kvHeads, headDim, capacitySlots } = layout;
  if (headDim % 8 !== 0 || rotatedDims % 4 !== 0 || rotatedDims > headDim) {
    throw new RangeError(`a head of ${headDim} dimensions with ${rotatedDims} rotated is not supported`);
  }
  if (Boolean(queryNorm) !== Boolean(keyNorm)) throw new RangeError('queries and keys are normalised both or neither');
  const loneSubgroup = family === 'subgroup';
  const norm = queryNorm !== undefined;
  const kernel = await device.kernels.get({
    label: 'rotate_store',
    texts: [rotateStoreText],
    enables: loneSubgroup && norm ? ['subgroups'] : [],
    constants: {
      LONE_SUBGROUP: loneSubgroup,
      INVOCATIONS: loneSubgroup ? device.facts.subgroupLanes : 32,
      NORM: norm,
      BIAS: biases !== undefined,
      TEMPERATURE: Boolean(temperature),
      HALVES: io.pairing === 'halves',
      HALF_CACHE: layout.format === 'f16',
    },
  });
  const shape = sharedUniform(device, 'rotate and store shape', [
    heads,
    kvHeads,
    headDim,
    rotatedDims,
    capacitySlots,
    { float: io.queryScale },
    { float: io.epsilon },
    { float: temperature?.rate ?? 0 },
    temperature?.tokens ?? 1,
  ]);
  const optional = [biases, queryNorm, keyNorm].filter((buffer) => buffer !== undefined);
  const bindings = kernel.bind(io.step, shape, io.projections, io.angles, io.queries, io.keys, io.values, ...optional);
  const dispatch = { kernel, bindings };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, heads + 2 * kvHeads, step.rows) };
}
