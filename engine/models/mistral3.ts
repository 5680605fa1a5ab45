/**
 * Ministral 3: Llama with YaRN, trained with it, and queries that grow with the position p, so that attention stays as
 * sharp among many keys: q · (1 + β · ln(1 + ⌊p / original context⌋)). Source: transformers `Ministral3Model`.
 */
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { describeDecoder } from './decoder.ts';
import { type Family, size } from './family.ts';
import type { AttentionSpec } from './spec.ts';

export const mistral3: Family = {
  architectures: ['mistral3'],
  describe: (file) => describeDecoder(file, 'mistral3', { pairing: 'adjacent', temperature: temperatureOf(file), trainedWithScaling: true }),
};

function temperatureOf(file: GgufFile): AttentionSpec['temperature'] {
  const rate = file.metadata.numberOr('mistral3.attention.temperature_scale', 0);
  if (rate === 0) return null;
  const contextTokens = size(file, 'mistral3.context_length', 1 << 24);
  return { rate, tokens: size(file, 'mistral3.rope.scaling.original_context_length', 1 << 24, contextTokens) };
}
