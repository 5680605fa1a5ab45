/**
 * Layers of the kind `sparse` (Native Sparse Attention, arXiv 2502.11089, in the form of flash-linear-attention and laNSA):
 * the sum of three attentions over the same keys and values, each times the sigmoid of a gate of its head: to the means of
 * all whole blocks before a row; to the tokens of the blocks whose means got most from the group's heads, the first block
 * and the last two among them; and to the last tokens.
 */
import type { TensorShape } from './linearSpec.ts';
import type { AttentionSpec } from './spec.ts';

export interface SparseSpec extends Omit<AttentionSpec, 'kind' | 'windowTokens'> {
  kind: 'sparse';
  windowTokens: number;
  blockTokens: number;
  /** Blocks that a row attends to token by token, those that are always chosen included. */
  chosenBlocks: number;
  /** [heads][3]: of the means, of the chosen blocks, of the window. */
  gates: TensorShape;
}

/** The first block, and the last two. */
export const alwaysChosen = 3;

/** f32 of a layer's means of keys and values, for `tokens`. */
export function meansFloats({ kvHeads, headDim, blockTokens }: SparseSpec, tokens: number): number {
  return 2 * kvHeads * Math.ceil(tokens / blockTokens) * headDim;
}
