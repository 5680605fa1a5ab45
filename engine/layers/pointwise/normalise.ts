/** Normalisation of a step's rows by their root mean square, or by mean and deviation (a layer norm), before a branch (`output =`) or after it (`output +=`). */
import normaliseText from '../../../shaders/normalise.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, kernelFamilies, sharedUniform } from './bound.ts';

export interface NormaliseBuffers {
  /** [rows][columns] f32. */
  input: GPUBuffer;
  /** [columns] f32. */
  weight: GPUBuffer;
  /** [columns] f32 of a layer norm, which also takes out the mean. */
  bias?: GPUBuffer | null;
  /** [rows][columns] f32; another buffer than the input. */
  output: GPUBuffer;
  step: GPUBuffer;
  /** Divisible by 4. */
  columns: number;
  epsilon: number;
  maxRows: number;
  /** Adds to the output instead of replacing it: Gemma's norms after a branch. */
  add?: boolean;
}

export async function bindNormalise(device: Device, io: NormaliseBuffers, family = kernelFamilies(device)[0]): Promise<Bound> {
  if (io.columns % 4 !== 0) throw new RangeError(`columns ${io.columns} must be divisible by 4`);
  const loneSubgroup = family === 'subgroup';
  const kernel = await device.kernels.get({
    label: 'normalise',
    texts: [normaliseText],
    enables: loneSubgroup ? ['subgroups'] : [],
    constants: {
      LONE_SUBGROUP: loneSubgroup,
      INVOCATIONS: loneSubgroup ? device.facts.subgroupLanes : 128,
      ADD: io.add ?? false,
      LAYER: Boolean(io.bias),
    },
  });
  const shape = sharedUniform(device, 'normalise shape', [io.columns / 4, { float: io.epsilon }]);
  const dispatch = { kernel, bindings: kernel.bind(shape, io.input, io.weight, io.output, ...(io.bias ? [io.bias] : [])) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, step.rows) };
}
