/**
 * LFM2: short convolutions, and attention in a few layers.
 *
 *     x = embedding[token]
 *     x += Wout · (c ⊙ conv(b ⊙ v)),  b | c | v = Win·n               most layers; n = rms(x)
 *     x += Wo · attention(rope(rms(Wq·n)), rope(rms(Wk·n)), Wv·n)     where the header gives the layer key heads
 *     x += Wdown · (silu(Wgate·n) ⊙ Wup·n)                            n = rms(x)
 *     logits = Wembedding · rms(x)
 *
 * The last norm is stored as `token_embd_norm`. Some files still give the width of the feed-forward before it was
 * adjusted, so it is taken from the tensor. Source: transformers `Lfm2Model`; tensor names of llama.cpp's converter.
 */
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { describeDecoder, gatedFeedForward } from './decoder.ts';
import { type Family, perLayer, size } from './family.ts';
import type { ShortConvolutionSpec } from './linearSpec.ts';

export const lfm2: Family = {
  architectures: ['lfm2'],
  describe: (file) => {
    const kvHeads = perLayer(file, 'lfm2.attention.head_count_kv', size(file, 'lfm2.block_count', 1024));
    const convolution = convolutionOf(file, size(file, 'lfm2.embedding_length', 65_536));
    return describeDecoder(file, 'lfm2', {
      pairing: 'halves',
      queryKeyNorm: true,
      mixer: (i) => (kvHeads[i] > 0 ? null : convolution(i)),
      feedForward: (i) => ({ ...gatedFeedForward(file, 'lfm2', i), width: file.tensors.get(`blk.${i}.ffn_gate.weight`)?.dims[1] ?? 0 }),
      outputNorm: file.tensors.has('output_norm.weight') ? 'output_norm.weight' : 'token_embd_norm.weight',
    });
  },
};

function convolutionOf(file: GgufFile, hiddenSize: number): (i: number) => ShortConvolutionSpec {
  const taps = size(file, 'lfm2.shortconv.l_cache', 16);
  return (i) => ({
    kind: 'linear',
    mechanism: 'short convolution',
    windowTokens: null,
    channels: hiddenSize,
    taps,
    tensors: {
      matrices: {
        projections: [{ name: `blk.${i}.shortconv.in_proj.weight`, dims: [hiddenSize, 3 * hiddenSize] }],
        output: [{ name: `blk.${i}.shortconv.out_proj.weight`, dims: [hiddenSize, hiddenSize] }],
      },
      vectors: { convolution: { name: `blk.${i}.shortconv.conv.weight`, dims: [taps, hiddenSize] } },
    },
  });
}
