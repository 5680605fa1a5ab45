/**
 * The Llama family: SmolLM2, Llama 3.x, TinyLlama, Mistral 7B.
 *
 *     x = embedding[token]
 *     x += Wo · attention(rope(Wq·n), rope(Wk·n), Wv·n)      n = rms(x)
 *     x += Wdown · (silu(Wgate·n) ⊙ Wup·n)                   n = rms(x)
 *     logits = Wout · rms(x)
 *
 * GGUF stores query and key rows permuted, so that rope rotates adjacent pairs.
 * Source: transformers `LlamaModel`; tensor names of llama.cpp's converter.
 */
import { describeDecoder } from './decoder.ts';
import type { Family } from './family.ts';

export const llama: Family = {
  architectures: ['llama'],
  describe: (file) => describeDecoder(file, 'llama', { pairing: 'adjacent' }),
};
