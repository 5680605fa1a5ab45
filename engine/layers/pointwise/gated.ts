/** The gated activation between the two halves of a feed-forward layer. */
import activationText from '../../../shaders/activation.wgsl';
import gatedText from '../../../shaders/gated_activation.wgsl';
import sigmoidGateText from '../../../shaders/sigmoid_gate.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, kernelFamilies, sharedUniform } from './bound.ts';

export type Activation = 'silu' | 'gelu-tanh';

export interface GatedBuffers {
  /** [rows][2 · columns] f32: gate, then up. */
  gateUp: GPUBuffer;
  /** [rows][columns] f32. */
  output: GPUBuffer;
  step: GPUBuffer;
  /** F, divisible by 4. */
  columns: number;
  activation: Activation;
}

export async function bindGated(device: Device, io: GatedBuffers, family = kernelFamilies(device)[0]): Promise<Bound> {
  if (io.columns % 4 !== 0) throw new RangeError(`columns ${io.columns} must be divisible by 4`);
  const loneSubgroup = family === 'subgroup';
  const invocations = loneSubgroup ? device.facts.subgroupLanes : 64;
  const kernel = await device.kernels.get({
    label: 'gated_activation',
    texts: [activationText, gatedText],
    constants: { INVOCATIONS: invocations, GELU: io.activation === 'gelu-tanh' },
  });
  const units = io.columns / 4;
  const shape = sharedUniform(device, 'gated shape', [units]);
  const dispatch = { kernel, bindings: kernel.bind(shape, io.gateUp, io.output) };
  return {
    encode(pass, step) {
      // Software adapters pay for each workgroup and have few cores: two for a lone row, one a row else.
      const software = step.rows === 1 ? 2 : 1;
      encodeDispatch(pass, dispatch, loneSubgroup ? software : Math.ceil(units / invocations), step.rows);
    },
  };
}

/** values[row] ⊙= sigmoid(gate[row]), `columns` (divisible by 4) numbers a row: the output gate of attention. */
export async function bindSigmoidGate(device: Device, io: { values: GPUBuffer; gate: GPUBuffer; columns: number }, family = kernelFamilies(device)[0]): Promise<Bound> {
  if (io.columns % 4 !== 0) throw new RangeError(`columns ${io.columns} must be divisible by 4`);
  const software = family === 'subgroup';
  const invocations = software ? device.facts.subgroupLanes : 64;
  const kernel = await device.kernels.get({ label: 'sigmoid_gate', texts: [sigmoidGateText], constants: { INVOCATIONS: invocations } });
  const units = io.columns / 4;
  const dispatch = { kernel, bindings: kernel.bind(sharedUniform(device, 'sigmoid gate shape', [units]), io.values, io.gate) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, software ? 1 : Math.ceil(units / invocations), step.rows) };
}
