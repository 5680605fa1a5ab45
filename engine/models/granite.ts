/**
 * Granite 3 and 4 (dense): Llama with four multipliers, e on the embedding, a in place of 1/√headDim, r on what each
 * branch adds, and 1/s on the logits.
 *
 *     x = e · embedding[token]
 *     x += r · Wo · attention(rope(Wq·n), rope(Wk·n), Wv·n; a)      n = rms(x)
 *     x += r · Wdown · (silu(Wgate·n) ⊙ Wup·n)                      n = rms(x)
 *     logits = Wout · rms(x) / s
 *
 * `rope.scaling.finetuned` = false says that no layer rotates. Source: transformers `GraniteModel`.
 */
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { describeDecoder } from './decoder.ts';
import type { Family } from './family.ts';

export const granite: Family = {
  architectures: ['granite'],
  describe: (file) => describeDecoder(file, 'granite', { pairing: 'adjacent', ...graniteScales(file, 'granite') }),
};

export function graniteScales({ metadata }: GgufFile, architecture: string) {
  const scale = (name: string): number => metadata.numberOr(`${architecture}.${name}`, 1);
  const attention = `${architecture}.attention.scale`;
  const rotates = metadata.booleanOr(`${architecture}.rope.scaling.finetuned`, true);
  return {
    embeddingScale: scale('embedding_scale'),
    residualScale: scale('residual_scale'),
    logitScale: 1 / scale('logit_scale'),
    rotates: () => rotates,
    ...(metadata.has(attention) ? { queryScale: metadata.number(attention) } : {}),
  };
}
