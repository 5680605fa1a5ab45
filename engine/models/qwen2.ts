/**
 * Qwen 2 and 2.5: Llama with biases on queries, keys and values, rotating halves.
 *
 *     x += Wo · attention(rope(Wq·n + bq), rope(Wk·n + bk), Wv·n + bv)      n = rms(x)
 *     x += Wdown · (silu(Wgate·n) ⊙ Wup·n)                                  n = rms(x)
 *
 * Source: transformers `Qwen2Model`; arXiv 2412.15115.
 */
import { describeDecoder } from './decoder.ts';
import type { Family } from './family.ts';

export const qwen2: Family = {
  architectures: ['qwen2'],
  describe: (file) => describeDecoder(file, 'qwen2', { pairing: 'halves' }),
};
