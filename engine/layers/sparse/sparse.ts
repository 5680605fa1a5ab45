/** The kernels of `sparse` layers: means of blocks, attention to them, the choice of blocks, attention to single tokens. */
import attentionPlacesText from '../../../shaders/attention_places.wgsl';
import blockAttentionText from '../../../shaders/block_attention.wgsl';
import blockChoiceText from '../../../shaders/block_choice.wgsl';
import blockMeansText from '../../../shaders/block_means.wgsl';
import sparseAttentionText from '../../../shaders/sparse_attention.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { packUniforms } from '../../device/uniforms.ts';
import type { SparseCache } from '../../kv/sparseCache.ts';
import type { SparseSpec } from '../../models/sparseSpec.ts';
import { type Bound, sharedUniform } from '../pointwise/bound.ts';

const invocations = 64;

/** Scratch that the sparse layers of a model share. */
export interface SparseBuffers {
  /** [rows][kvHeads][blocks] f32. */
  importance: GPUBuffer;
  /** [rows][kvHeads][chosenBlocks]. */
  chosen: GPUBuffer;
}

export interface SparseIo extends SparseBuffers {
  spec: SparseSpec;
  cache: SparseCache;
  /** [rows][heads · headDim] f32, scaled, and the result. */
  queries: GPUBuffer;
  output: GPUBuffer;
  /** [rows][heads][3] f32, before their sigmoids. */
  gates: GPUBuffer;
  step: GPUBuffer;
}

/** In their order: keys and values of the step must be in the cache. */
export async function bindSparse(device: Device, io: SparseIo): Promise<{ means: Bound; overview: Bound; choose: Bound; attend: Bound }> {
  const { spec, cache, step, queries, output, gates, importance, chosen } = io;
  const { heads, kvHeads, headDim, blockTokens, chosenBlocks, windowTokens } = spec;
  if (headDim % 4 !== 0 || headDim > 4 * invocations) throw new RangeError(`heads of ${headDim} must be divisible by 4 and at most ${4 * invocations}`);
  const units = headDim / 4;
  const { blocks, layout } = cache;
  const constants = { INVOCATIONS: invocations };
  const kernel = (label: string, texts: readonly string[], more: Record<string, number> = {}) => device.kernels.get({ label, texts, constants: { ...constants, ...more } });
  const [meansKernel, overviewKernel, choiceKernel, attentionKernel] = await Promise.all([
    kernel('block_means', [blockMeansText]),
    kernel('block_attention', [attentionPlacesText, blockAttentionText]),
    kernel('block_choice', [blockChoiceText], { CHOSEN: chosenBlocks }),
    kernel('sparse_attention', [attentionPlacesText, sparseAttentionText], { CHOSEN: chosenBlocks }),
  ]);
  const uniform = (name: string, values: number[]): GPUBuffer => sharedUniform(device, `${name} shape`, values);
  const meansShape = uniform('block means', [layout.capacitySlots, blocks, units, blockTokens]);
  const means = { kernel: meansKernel, bindings: meansKernel.bind(step, meansShape, cache.range, cache.keys, cache.values, cache.means) };
  const overviewShape = uniform('block attention', [heads, kvHeads, blocks, units, blockTokens]);
  const overview = { kernel: overviewKernel, bindings: overviewKernel.bind(step, overviewShape, queries, cache.means, gates, importance, output) };
  const choice = { kernel: choiceKernel, bindings: choiceKernel.bind(step, uniform('block choice', [kvHeads, blocks, blockTokens]), importance, chosen) };
  const attentionShape = uniform('sparse attention', [heads, kvHeads, layout.capacitySlots, units, blockTokens, windowTokens]);
  const attention = { kernel: attentionKernel, bindings: attentionKernel.bind(step, attentionShape, queries, cache.keys, cache.values, gates, chosen, output) };
  return {
    means: {
      encode(pass, now) {
        const { first, count } = cache.completed(now);
        if (count === 0) return;
        device.gpu.queue.writeBuffer(cache.range, 0, packUniforms([first]));
        encodeDispatch(pass, means, count, kvHeads);
      },
    },
    overview: { encode: (pass, now) => encodeDispatch(pass, overview, now.rows, kvHeads) },
    choose: { encode: (pass, now) => encodeDispatch(pass, choice, now.rows, kvHeads) },
    attend: { encode: (pass, now) => encodeDispatch(pass, attention, now.rows, heads) },
  };
}
