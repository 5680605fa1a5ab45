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
  epsilon: number;
  /** [rows][rotatedDims / 2] of (cos, sin) f32, written for each step. */
  angles: GPUBuffer;
  /** Which dimensions turn together: (2i, 2i + 1) or (i, i + rotatedDims / 2). */
  pairing: 'adjacent' | 'halves';
  /** Divisible by 4, at most headDim; the dimensions after them pass unchanged. */
  rotatedDims: number;
  /** Multiplies the queries, usually 1/√headDim. */
  queryScale: number;
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
  const { layout, heads, rotatedDims, queryNorm, keyNorm } = io;
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
  ]);
  const norms = queryNorm && keyNorm ? [queryNorm, keyNorm] : [];
  const bindings = kernel.bind(io.step, shape, io.projections, io.angles, io.queries, io.keys, io.values, ...norms);
  const dispatch = { kernel, bindings };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, heads + 2 * kvHeads, step.rows) };
}
