/**
 * laNSA (arXiv 2510.20787): layers of Gated DeltaNet, and between them native sparse attention (`sparse`).
 *
 *     x = embedding[token]
 *     x += Wo · (rms(delta(conv(Wqkv·n), α·n, β·n)) ⊙ silu(Wz·n))                    where the layer has `ssm_a`; n = rms(x)
 *     x += Wo · Σ σ(Wg·n) · attention(rope(Wq·n), rope(Wk·n), Wv·n) of three kinds   the others
 *     x += Wdown · (silu(Wgate·n) ⊙ Wup·n)                                            n = rms(x)
 *     logits = Wout · rms(x)
 *
 * No converter of others writes such files: names and keys are Longleaf's own (docs/layer-kinds.md).
 */
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { describeDecoder } from './decoder.ts';
import { type Family, size } from './family.ts';
import { deltaOf } from './qwen35.ts';
import { alwaysChosen, type SparseSpec } from './sparseSpec.ts';
import type { AttentionSpec } from './spec.ts';

export const lansa: Family = {
  architectures: ['lansa'],
  describe: (file) => {
    const sparse = sparseOf(file);
    // Its sizes are read only if there is such a layer.
    let delta: ReturnType<typeof deltaOf> | null = null;
    return describeDecoder(file, 'lansa', {
      pairing: 'halves',
      mixer: (i, attention) => {
        if (!file.tensors.has(`blk.${i}.ssm_a`)) return sparse(i, attention(i));
        delta ??= deltaOf(file, 'lansa', { keyHeadOrder: 'grouped', gateOrder: 'alpha, beta' });
        return delta(i);
      },
    });
  },
};

function sparseOf(file: GgufFile): (i: number, attention: AttentionSpec) => SparseSpec {
  const hiddenSize = size(file, 'lansa.embedding_length', 65_536);
  const blockTokens = size(file, 'lansa.sparse.block', 4096);
  const chosenBlocks = size(file, 'lansa.sparse.chosen', 256);
  const windowTokens = size(file, 'lansa.sparse.window', 1 << 20);
  if (chosenBlocks < alwaysChosen) {
    throw new EngineError('model-incomplete', `The header says ${chosenBlocks} chosen blocks, but ${alwaysChosen} are always chosen.`, 'Convert the file again.');
  }
  return (i, attention) => ({
    ...attention,
    kind: 'sparse',
    windowTokens,
    blockTokens,
    chosenBlocks,
    gates: { name: `blk.${i}.attn_branch_gate.weight`, dims: [hiddenSize, 3 * attention.heads] },
  });
}
