/**
 * Qwen 3 with experts (30B-A3B, 235B-A22B): Qwen 3 in which each token goes through the eight experts of the largest
 * router logits, with a softmax over those eight as shares.
 *
 *     x += Wo · attention(rope(rms(Wq·n)), rope(rms(Wk·n)), Wv·n)          n = rms(x)
 *     x += Σ_chosen share_e · Wdown_e · (silu(Wgate_e·n) ⊙ Wup_e·n)        n = rms(x)
 *
 * Source: transformers `Qwen3MoeModel`; arXiv 2505.09388.
 */
import { describeDecoder } from './decoder.ts';
import { readExperts } from './experts.ts';
import type { Family } from './family.ts';

export const qwen3moe: Family = {
  architectures: ['qwen3moe'],
  describe: (file) =>
    describeDecoder(file, 'qwen3moe', { pairing: 'halves', queryKeyNorm: true, feedForward: (layer) => readExperts(file, 'qwen3moe', layer, { normalised: true }) }),
};
