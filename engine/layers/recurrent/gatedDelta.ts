/** What Gated DeltaNet does to its projections before the recurrence: gates, and queries and keys of length 1. */
import deltaGatesText from '../../../shaders/delta_gates.wgsl';
import unitHeadsText from '../../../shaders/unit_heads.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, kernelFamilies, sharedUniform } from '../pointwise/bound.ts';

export interface DeltaGatesBuffers {
  /** [rows][stride] f32. */
  input: GPUBuffer;
  stride: number;
  /** Where in a row alpha and beta begin. */
  alphaOffset: number;
  betaOffset: number;
  /** Heads whose alphas (and betas) lie together; the next such run begins 2 · run further. */
  run: number;
  /** [heads] f32, ≤ 0. */
  rate: GPUBuffer;
  /** [heads] f32. */
  bias: GPUBuffer;
  /** [rows][heads] of (decay, strength) f32. */
  gates: GPUBuffer;
  step: GPUBuffer;
  heads: number;
}

export async function bindDeltaGates(device: Device, io: DeltaGatesBuffers, family = kernelFamilies(device)[0]): Promise<Bound> {
  const invocations = family === 'subgroup' ? device.facts.subgroupLanes : 64;
  const kernel = await device.kernels.get({ label: 'delta_gates', texts: [deltaGatesText], constants: { INVOCATIONS: invocations } });
  const shape = sharedUniform(device, 'delta gates shape', [io.heads, io.stride, io.alphaOffset, io.betaOffset, io.run]);
  const dispatch = { kernel, bindings: kernel.bind(io.step, shape, io.input, io.rate, io.bias, io.gates) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, Math.ceil((step.rows * io.heads) / invocations)) };
}

export interface UnitHeadsBuffers {
  /** [rows][stride] f32; a row begins with the query heads, then the key heads. */
  vectors: GPUBuffer;
  stride: number;
  queries: number;
  keys: number;
  /** Divisible by 4. */
  headDim: number;
  /** The length of queries; keys have length 1. */
  queryScale: number;
  epsilon: number;
}

export async function bindUnitHeads(device: Device, io: UnitHeadsBuffers, family = kernelFamilies(device)[0]): Promise<Bound> {
  const { headDim, stride, queries, keys } = io;
  if (headDim % 4 !== 0 || stride % 4 !== 0) throw new RangeError(`heads of ${headDim} in rows of ${stride} must be divisible by 4`);
  const loneSubgroup = family === 'subgroup';
  const kernel = await device.kernels.get({
    label: 'unit_heads',
    texts: [unitHeadsText],
    enables: loneSubgroup ? ['subgroups'] : [],
    constants: { LONE_SUBGROUP: loneSubgroup, INVOCATIONS: loneSubgroup ? device.facts.subgroupLanes : 32 },
  });
  const shape = sharedUniform(device, 'unit heads shape', [headDim / 4, stride / 4, queries, { float: io.queryScale }, { float: io.epsilon }]);
  const dispatch = { kernel, bindings: kernel.bind(shape, io.vectors) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, queries + keys, step.rows) };
}
