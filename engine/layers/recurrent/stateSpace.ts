/** What Mamba-2 makes of its steps before the recurrence. */
import stateSpaceGatesText from '../../../shaders/state_space_gates.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, kernelFamilies, sharedUniform } from '../pointwise/bound.ts';

export interface StateSpaceGatesBuffers {
  /** [rows][stride] f32, [heads] of them from `offset` on. */
  input: GPUBuffer;
  stride: number;
  offset: number;
  /** [heads] f32, ≤ 0. */
  rate: GPUBuffer;
  /** [heads] f32. */
  bias: GPUBuffer;
  /** [rows][heads] of (decay, strength) f32. */
  gates: GPUBuffer;
  step: GPUBuffer;
  heads: number;
}

export async function bindStateSpaceGates(device: Device, io: StateSpaceGatesBuffers, family = kernelFamilies(device)[0]): Promise<Bound> {
  const invocations = family === 'subgroup' ? device.facts.subgroupLanes : 64;
  const kernel = await device.kernels.get({ label: 'state_space_gates', texts: [stateSpaceGatesText], constants: { INVOCATIONS: invocations } });
  const shape = sharedUniform(device, 'state space gates shape', [io.heads, io.stride, io.offset]);
  const dispatch = { kernel, bindings: kernel.bind(io.step, shape, io.input, io.rate, io.bias, io.gates) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, Math.ceil((step.rows * io.heads) / invocations)) };
}
