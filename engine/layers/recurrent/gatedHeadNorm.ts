/** Norm and gate of what the heads of linear attention read. */
import gatedHeadNormText from '../../../shaders/gated_head_norm.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, kernelFamilies, sharedUniform } from '../pointwise/bound.ts';

export interface GatedHeadNormBuffers {
  /** [rows][heads · headDim] f32, in place. */
  values: GPUBuffer;
  /** [rows][gateStride] f32, the gate from `gateOffset` on; both divisible by 4. */
  gate: GPUBuffer;
  gateStride: number;
  gateOffset: number;
  /** [headDim], or [heads · headDim] f32. */
  weight: GPUBuffer;
  weights: number;
  heads: number;
  /** What is normalised together; divisible by 4. */
  headDim: number;
  epsilon: number;
  activation: 'silu' | 'sigmoid';
  /** `after` the norm in Gated DeltaNet, `before` it in Mamba-2. */
  gated: 'before' | 'after';
}

export async function bindGatedHeadNorm(device: Device, io: GatedHeadNormBuffers, family = kernelFamilies(device)[0]): Promise<Bound> {
  const { heads, headDim, gateStride, gateOffset, weights } = io;
  if ([headDim, gateStride, gateOffset, weights].some((size) => size % 4 !== 0)) throw new RangeError('heads and gates must be divisible by 4');
  const loneSubgroup = family === 'subgroup';
  const kernel = await device.kernels.get({
    label: 'gated_head_norm',
    texts: [gatedHeadNormText],
    enables: loneSubgroup ? ['subgroups'] : [],
    constants: {
      LONE_SUBGROUP: loneSubgroup,
      INVOCATIONS: loneSubgroup ? device.facts.subgroupLanes : 32,
      GATE_FIRST: io.gated === 'before',
      SIGMOID: io.activation === 'sigmoid',
    },
  });
  const shape = sharedUniform(device, 'gated head norm shape', [headDim / 4, heads, weights / 4, gateStride / 4, gateOffset / 4, { float: io.epsilon }]);
  const dispatch = { kernel, bindings: kernel.bind(shape, io.values, io.gate, io.weight) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, heads, step.rows) };
}
