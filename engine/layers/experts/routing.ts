/** Which experts each row goes through, the pairs (row, slot) expert by expert, and the sum of what they gave. */
import chooseText from '../../../shaders/experts_choose.wgsl';
import combineText from '../../../shaders/experts_combine.wgsl';
import groupText from '../../../shaders/experts_group.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, type KernelFamily, sharedUniform } from '../pointwise/bound.ts';
import { tileCount } from './tiles.ts';

export interface ChooseBuffers {
  /** [rows][experts], or one more: the logit of the shared expert's gate. */
  logits: GPUBuffer;
  /** u32 [rows][chosen]. */
  choice: GPUBuffer;
  /** [rows][chosen + 1]: of the chosen, then of the shared expert. */
  shares: GPUBuffer;
  experts: number;
  chosen: number;
  normalised: boolean;
  scale: number;
  sharedGate: boolean;
}

/** The families that the adapter supports, the one to use first: on GPUs too a lone subgroup, whose rounds need no barriers. */
export function chooseFamilies(device: Device): KernelFamily[] {
  return device.facts.subgroupLanes >= 4 ? ['subgroup', 'workgroup'] : ['workgroup'];
}

export async function bindChoose(device: Device, io: ChooseBuffers, family = chooseFamilies(device)[0]): Promise<Bound> {
  const loneSubgroup = family === 'subgroup';
  const kernel = await device.kernels.get({
    label: 'experts_choose',
    texts: [chooseText],
    enables: loneSubgroup ? ['subgroups'] : [],
    constants: {
      LONE_SUBGROUP: loneSubgroup,
      INVOCATIONS: loneSubgroup ? device.facts.subgroupLanes : 128,
      NORMALISED: io.normalised,
      SHARED_GATE: io.sharedGate,
    },
  });
  const shape = sharedUniform(device, 'experts choose shape', [io.experts, io.chosen, { float: io.scale }]);
  const dispatch = { kernel, bindings: kernel.bind(shape, io.logits, io.choice, io.shares) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, step.rows) };
}

export interface GroupBuffers {
  choice: GPUBuffer;
  /** u32 [maxRows · chosen]. */
  order: GPUBuffer;
  /** vec4<u32> [tileCount of maxRows]. */
  tiles: GPUBuffer;
  experts: number;
  chosen: number;
  /** Pairs in a tile. */
  tileRows: number;
  step: GPUBuffer;
  maxRows: number;
}

export async function bindGroup(device: Device, io: GroupBuffers): Promise<Bound> {
  const kernel = await device.kernels.get({
    label: 'experts_group',
    texts: [groupText],
    constants: { INVOCATIONS: device.facts.kind === 'gpu' ? 256 : 16, EXPERTS: io.experts, ROWS: io.tileRows },
  });
  const shape = sharedUniform(device, 'experts group shape', [io.chosen, tileCount(io.maxRows, io, io.tileRows)]);
  const dispatch = { kernel, bindings: kernel.bind(io.step, shape, io.choice, io.order, io.tiles) };
  return { encode: (pass) => encodeDispatch(pass, dispatch, 1) };
}

export interface CombineBuffers {
  /** [rows · chosen][columns]. */
  branches: GPUBuffer;
  shares: GPUBuffer;
  /** [rows][columns], what the shared expert gave. */
  shared: GPUBuffer | null;
  /** [rows][columns]. */
  output: GPUBuffer;
  /** Divisible by 4. */
  columns: number;
  chosen: number;
  /** Adds to the output instead of replacing it. */
  add: boolean;
}

export async function bindCombine(device: Device, io: CombineBuffers): Promise<Bound> {
  if (io.columns % 4 !== 0) throw new RangeError(`columns ${io.columns} must be divisible by 4`);
  const software = device.facts.kind === 'software';
  const invocations = software ? Math.max(4, device.facts.subgroupLanes) : 64;
  const kernel = await device.kernels.get({
    label: 'experts_combine',
    texts: [combineText],
    constants: { INVOCATIONS: invocations, SHARED: io.shared !== null, ADD: io.add },
  });
  const units = io.columns / 4;
  const shape = sharedUniform(device, 'experts combine shape', [units, io.chosen]);
  const dispatch = { kernel, bindings: kernel.bind(shape, io.branches, io.shares, io.output, io.shared) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, software ? 1 : Math.ceil(units / invocations), step.rows) };
}
