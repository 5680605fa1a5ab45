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
import { describeDecoder, gatedFeedForward } from './decoder.ts';
import { readExperts } from './experts.ts';
import { type Family, size } from './family.ts';
import { convolvedChannels, type GatedDeltaSpec } from './linearSpec.ts';
import type { ModelSpec } from './spec.ts';

/** Qwen3.5, and with experts in place of each feed-forward Qwen3.5 MoE. */
export const qwen35: Family = {
  architectures: ['qwen35', 'qwen35moe'],
  describe: (file) => describeDeltaHybrid(file, file.metadata.string('general.architecture'), { keyHeadOrder: 'tiled', gateOrder: 'alpha, beta' }),
};

export function describeDeltaHybrid(file: GgufFile, architecture: string, orders: Pick<GatedDeltaSpec, 'keyHeadOrder' | 'gateOrder'>): ModelSpec {
  const interval = size(file, `${architecture}.full_attention_interval`, 1024, 4);
  const delta = deltaOf(file, architecture, orders);
  return describeDecoder(file, architecture, {
    pairing: 'halves',
    queryKeyNorm: true,
    gatedQueries: true,
    mixer: (i) => (i % interval === interval - 1 ? null : delta(i)),
    feedForward: (i) =>
      file.tensors.has(`blk.${i}.ffn_gate_inp.weight`) ? readExperts(file, architecture, i, { normalised: true }) : gatedFeedForward(file, architecture, i),
    feedForwardNorm: 'post_attention_norm',
    skippedLayers: file.metadata.integerOr(`${architecture}.nextn_predict_layers`, 0),
  });
}

export function deltaOf(file: GgufFile, architecture: string, orders: Pick<GatedDeltaSpec, 'keyHeadOrder' | 'gateOrder'>): (i: number) => GatedDeltaSpec {
  const hiddenSize = size(file, `${architecture}.embedding_length`, 65_536);
  const keyHeads = size(file, `${architecture}.ssm.group_count`, 1024);
  const valueHeads = size(file, `${architecture}.ssm.time_step_rank`, 1024);
  const headDim = size(file, `${architecture}.ssm.state_size`, 256);
  const taps = size(file, `${architecture}.ssm.conv_kernel`, 16);
  const inner = size(file, `${architecture}.ssm.inner_size`, 1 << 20);
  if (valueHeads % keyHeads !== 0 || inner !== valueHeads * headDim || headDim % 4 !== 0 || valueHeads % 2 !== 0) {
    throw new EngineError(
      'model-incomplete',
      `The header says ${valueHeads} value heads over ${keyHeads} key heads of ${headDim} in ${inner} numbers, which do not fit together.`,
      'Download the file again.',
    );
  }
  const shape = { keyHeads, valueHeads, headDim, taps, ...orders };
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
            ...(orders.gateOrder === 'by key head'
              ? [{ name: `blk.${i}.ssm_ba.weight`, dims: [hiddenSize, 2 * valueHeads] }]
              : ['ssm_alpha', 'ssm_beta'].map((name) => ({ name: `blk.${i}.${name}.weight`, dims: [hiddenSize, valueHeads] }))),
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
