/** Embedding lookup from packed weights. */
import embedRows from '../../../shaders/embed_rows.wgsl';
import matmulWeights from '../../../shaders/matmul_weights.wgsl';
import type { Device } from '../../device/device.ts';
import { type Dispatch, encodeDispatch } from '../../device/kernel.ts';
import { formatConstants } from './format.ts';
import type { BoundLinear } from './linear.ts';
import { shapeMembers } from './product.ts';
import { bindingsOf, type LinearWeights } from './weights.ts';

export interface EmbeddingBinding {
  /** u32 [rows], each below the matrix's outputs. */
  tokens: GPUBuffer;
  /** f32 [rows][inputs]. */
  output: GPUBuffer;
  step: GPUBuffer;
  /** Factor on every weight (Gemma multiplies by √width). */
  scale: number;
}

export async function bindEmbedding(device: Device, weights: LinearWeights, io: EmbeddingBinding): Promise<BoundLinear> {
  const dispatches: { dispatch: Dispatch; groups: number }[] = [];
  for (const part of weights.parts) {
    const kernel = await device.kernels.get({
      label: 'embed_rows',
      texts: [matmulWeights, embedRows],
      constants: formatConstants(part.format, part.tileColumns, part.texture),
    });
    const shape = weights.shapeUniform(shapeMembers(weights, part, { multiplier: io.scale }));
    const bindings = kernel.bind(shape, io.step, io.tokens, io.output, ...bindingsOf(part));
    dispatches.push({ dispatch: { kernel, bindings }, groups: Math.ceil(part.blocks / 32) });
  }
  return {
    encode(pass, step) {
      for (const { dispatch, groups } of dispatches) encodeDispatch(pass, dispatch, groups, step.rows);
    },
  };
}
