/**
 * Qwen 3 (dense): Qwen 2 without biases, with norms on each head of queries and keys before they are rotated.
 *
 *     x += Wo · attention(rope(rms(Wq·n)), rope(rms(Wk·n)), Wv·n)      n = rms(x)
 *     x += Wdown · (silu(Wgate·n) ⊙ Wup·n)                             n = rms(x)
 *
 * Heads are wider than hidden ÷ heads. Source: transformers `Qwen3Model`; arXiv 2505.09388.
 */
import { describeDecoder } from './decoder.ts';
import type { Family } from './family.ts';

export const qwen3: Family = {
  architectures: ['qwen3'],
  describe: (file) => describeDecoder(file, 'qwen3', { pairing: 'halves', queryKeyNorm: true }),
};
