/**
 * Qwen3.5: three layers of Gated DeltaNet to one of attention, whose output is gated.
 *
 *     x = embedding[token]
 *     x += Wo · (σ(Wg·n) ⊙ attention(rope(rms(Wq·n)), rope(rms(Wk·n)), Wv·n))     every fourth layer; n = rms(x)
 *     x += Wo · (rms(delta(conv(Wqkv·n), α·n, β·n)) ⊙ silu(Wz·n))                 the others
 *     x += Wdown · (silu(Wgate·n) ⊙ Wup·n)                                        n = rms(x)
 *     logits = Wout · rms(x)
 *
 * GGUF norm weights already contain 1 + w (not ssm_norm, which has none), ssm_a is −e^A, the query tensor holds a gate
 * behind each head's query, and value heads are in tiled order: head h goes with key head h mod keyHeads. Rotation in
 * sections is for images; of text all sections have one position. Source: transformers `Qwen3_5TextModel`; tensor names
 * of llama.cpp's converter.
 */
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { describeDecoder } from './decoder.ts';
import { type Family, size } from './family.ts';
import { convolvedChannels, type GatedDeltaSpec } from './linearSpec.ts';

export const qwen35: Family = {
  architectures: ['qwen35'],
  describe: (file) => {
    const interval = size(file, 'qwen35.full_attention_interval', 1024, 4);
    const delta = deltaOf(file, size(file, 'qwen35.embedding_length', 65_536));
    return describeDecoder(file, 'qwen35', {
      pairing: 'halves',
      queryKeyNorm: true,
      gatedQueries: true,
      mixer: (i) => (i % interval === interval - 1 ? null : delta(i)),
      feedForwardNorm: 'post_attention_norm',
      skippedLayers: file.metadata.integerOr('qwen35.nextn_predict_layers', 0),
    });
  },
};

function deltaOf(file: GgufFile, hiddenSize: number): (i: number) => GatedDeltaSpec {
  const keyHeads = size(file, 'qwen35.ssm.group_count', 1024);
  const valueHeads = size(file, 'qwen35.ssm.time_step_rank', 1024);
  const headDim = size(file, 'qwen35.ssm.state_size', 256);
  const taps = size(file, 'qwen35.ssm.conv_kernel', 16);
  const inner = size(file, 'qwen35.ssm.inner_size', 1 << 20);
  if (valueHeads % keyHeads !== 0 || inner !== valueHeads * headDim || headDim % 4 !== 0 || valueHeads % 2 !== 0) {
    throw new EngineError(
      'model-incomplete',
      `The header says ${valueHeads} value heads over ${keyHeads} key heads of ${headDim} in ${inner} numbers, which do not fit together.`,
      'Download the file again.',
    );
  }
  const shape = { keyHeads, valueHeads, headDim, taps, keyHeadOrder: 'tiled' } as const;
  return (i) => {
    const channels = convolvedChannels(shape);
    return {
      kind: 'linear',
      mechanism: 'gated delta',
      windowTokens: null,
      ...shape,
      tensors: {
        matrices: {
          projections: [
            { name: `blk.${i}.attn_qkv.weight`, dims: [hiddenSize, channels] },
            { name: `blk.${i}.attn_gate.weight`, dims: [hiddenSize, inner] },
            { name: `blk.${i}.ssm_alpha.weight`, dims: [hiddenSize, valueHeads] },
            { name: `blk.${i}.ssm_beta.weight`, dims: [hiddenSize, valueHeads] },
          ],
          output: [{ name: `blk.${i}.ssm_out.weight`, dims: [inner, hiddenSize] }],
        },
        vectors: {
          convolution: { name: `blk.${i}.ssm_conv1d.weight`, dims: [taps, channels] },
          decay: { name: `blk.${i}.ssm_a`, dims: [valueHeads] },
          decayBias: { name: `blk.${i}.ssm_dt.bias`, dims: [valueHeads] },
          norm: { name: `blk.${i}.ssm_norm.weight`, dims: [headDim] },
        },
      },
    };
  };
}
