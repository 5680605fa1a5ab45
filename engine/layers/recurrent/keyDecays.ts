/** Decays of single keys, for mechanisms that forget each key at a pace of its own. */
import keyDecaysText from '../../../shaders/key_decays.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, kernelFamilies, sharedUniform } from '../pointwise/bound.ts';

export interface KeyDecaysBuffers {
  /** `softplus`: Kimi Delta Attention and Gated DeltaNet-2; `log sigmoid`: gated linear attention; `bounded`: RWKV-7. */
  form: 'softplus' | 'log sigmoid' | 'bounded';
  /** [rows][stride] f32, [heads][headDim] of them from `offset` on. */
  input: GPUBuffer;
  stride: number;
  offset: number;
  /** [heads][headDim] f32. */
  bias: GPUBuffer;
  /** [heads] f32, ≤ 0; read by `softplus` only. */
  rate: GPUBuffer;
  /** [rows][heads][headDim] f32. */
  output: GPUBuffer;
  heads: number;
  headDim: number;
}

export async function bindKeyDecays(device: Device, io: KeyDecaysBuffers, family = kernelFamilies(device)[0]): Promise<Bound> {
  const { form, heads, headDim, stride, offset } = io;
  const invocations = family === 'subgroup' ? device.facts.subgroupLanes : 64;
  const kernel = await device.kernels.get({
    label: 'key_decays',
    texts: [keyDecaysText],
    constants: { INVOCATIONS: invocations, SOFTPLUS: form === 'softplus', LOG_SIGMOID: form === 'log sigmoid' },
  });
  const columns = heads * headDim;
  const shape = sharedUniform(device, 'key decays shape', [columns, stride, offset, headDim]);
  const dispatch = { kernel, bindings: kernel.bind(shape, io.input, io.bias, io.output, ...(form === 'softplus' ? [io.rate] : [])) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, Math.ceil(columns / invocations), step.rows) };
}
