/**
 * Phi 3, 3.5 and 4 mini: Llama with one matrix for queries, keys and values and one for gate and up; only the first
 * `rope.dimension_count` dimensions of a head rotate (three quarters in Phi 4 mini), with the factors of LongRoPE.
 *
 * Files may name a sliding window: Phi 4's is as long as its context, and Phi 3's is not applied, as llama.cpp does not
 * either. Source: transformers `Phi3Model`; LongRoPE: arXiv 2402.13753.
 */
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { describeDecoder } from './decoder.ts';
import { type Family, size } from './family.ts';
import type { FeedForwardSpec } from './spec.ts';

export const phi3: Family = {
  architectures: ['phi3'],
  describe: (file) => describeDecoder(file, 'phi3', { pairing: 'halves', feedForward: (layer) => fused(file, layer) }),
};

function fused(file: GgufFile, layer: number): FeedForwardSpec {
  return {
    kind: 'gated',
    activation: 'silu',
    width: size(file, 'phi3.feed_forward_length', 1 << 20),
    tensors: { gateUp: [`blk.${layer}.ffn_up.weight`], down: `blk.${layer}.ffn_down.weight` },
  };
}
