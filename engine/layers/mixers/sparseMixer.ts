/** Native sparse attention (`sparse`): three attentions to the same keys and values, each with a gate. */
import type { Device } from '../../device/device.ts';
import type { SparseCache } from '../../kv/sparseCache.ts';
import type { SparseSpec } from '../../models/sparseSpec.ts';
import type { AttentionWeights } from '../../models/weights.ts';
import type { Mixer } from '../mixer.ts';
import { part, rowWork } from '../part.ts';
import { bindSparse, type SparseBuffers } from '../sparse/sparse.ts';
import type { AttentionInputs } from './attentionMixer.ts';
import { bindStoring } from './storeVectors.ts';

export async function createSparseMixer(
  device: Device,
  spec: SparseSpec,
  weights: AttentionWeights,
  cache: SparseCache,
  scratch: SparseBuffers,
  inputs: AttentionInputs & { gates: GPUBuffer },
): Promise<Mixer> {
  const { heads, kvHeads, headDim, blockTokens, chosenBlocks, windowTokens } = spec;
  const { step, queries, gates, mixed } = inputs;
  const store = await bindStoring(device, spec, weights, cache, inputs);
  const { means, overview, choose, attend } = await bindSparse(device, { ...scratch, spec, cache, queries, output: mixed, gates, step });
  const near = chosenBlocks * blockTokens + windowTokens;
  const blocksAt = ({ position, rows }: { position: number; rows: number }): number => Math.floor((position + rows) / blockTokens);
  const vectors = 2 * heads * headDim;
  return {
    parts: [
      part('rotary and store', store, rowWork(2 * (heads + 2 * kvHeads) * headDim)),
      part('means of blocks', means, rowWork(2 * kvHeads * headDim)),
      part('attention to means', overview, (now) => ({ flops: 4 * now.rows * heads * headDim * blocksAt(now), bytes: 8 * kvHeads * headDim * blocksAt(now) + 4 * now.rows * vectors })),
      part('choice of blocks', choose, (now) => ({ flops: 0, bytes: 4 * now.rows * kvHeads * blocksAt(now) })),
      part('attention', attend, (now) => ({ flops: 4 * now.rows * heads * headDim * Math.min(near, now.position + now.rows), bytes: 8 * kvHeads * headDim * Math.min(near, now.position + now.rows) + 4 * now.rows * vectors })),
    ],
    canTruncate: () => true,
    checkpoint: () => null,
    free: () => cache.free(),
  };
}
