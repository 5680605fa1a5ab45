/**
 * RWKV-7: no attention at all, and no positions; what a layer knows of earlier tokens is its state and the row before.
 *
 *     x = norm(embedding[token])
 *     x += Wo · (norm(read(r, w, k, v, α)) + bonus) ⊙ g     n = norm(x), each of r … g of n mixed with the n before it
 *     x += Wv · relu(Wk · n')²                              n = norm(x), n' mixed with the n before it
 *     logits = Wout · norm(x)
 *
 * Norms are layer norms. The first layer's values are mixed into those of the others; files give it tensors for that, too,
 * which nothing reads. Source: arXiv 2503.14456; tensor names of llama.cpp's converter.
 */
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { type Family, size, vocabularySizeOf } from './family.ts';
import type { RwkvSpec } from './linearSpec.ts';
import type { ModelSpec } from './spec.ts';

export const rwkv7: Family = {
  architectures: ['rwkv7'],
  describe: (file): ModelSpec => {
    const { metadata } = file;
    const key = (name: string): string => `rwkv7.${name}`;
    const hiddenSize = size(file, key('embedding_length'), 65_536);
    const mixer = timeMixOf(file, hiddenSize);
    const contextTokens = size(file, key('context_length'), 1 << 24);
    const width = size(file, key('feed_forward_length'), 1 << 20, 4 * hiddenSize);
    return {
      architecture: 'rwkv7',
      name: metadata.stringOr('general.name', 'rwkv7 model'),
      hiddenSize,
      vocabularySize: vocabularySizeOf(file),
      contextTokens,
      trainedTokens: contextTokens,
      normEpsilon: metadata.number(key('attention.layer_norm_epsilon')),
      normKind: 'layer',
      residualScale: 1,
      logitScale: 1,
      embedding: { tensor: 'token_embd.weight', scale: 1, norm: 'token_embd_norm.weight' },
      blocks: Array.from({ length: size(file, key('block_count'), 1024) }, (_, i) => ({
        mixerNorm: `blk.${i}.attn_norm.weight`,
        mixer: mixer(i),
        mixerPostNorm: null,
        feedForwardNorm: `blk.${i}.attn_norm_2.weight`,
        feedForward: {
          kind: 'channel mix' as const,
          width,
          tensors: { shift: `blk.${i}.channel_mix_lerp_k.weight`, key: `blk.${i}.channel_mix_key.weight`, value: `blk.${i}.channel_mix_value.weight` },
        },
        feedForwardPostNorm: null,
      })),
      outputNorm: 'output_norm.weight',
      outputTensor: file.tensors.has('output.weight') ? 'output.weight' : 'token_embd.weight',
    };
  },
};

function timeMixOf(file: GgufFile, hiddenSize: number): (i: number) => RwkvSpec {
  const headDim = size(file, 'rwkv7.wkv.head_size', 256);
  const rank = (name: string): number => size(file, `rwkv7.attention.${name}_lora_rank`, 4096);
  const [decay, rate, mixing, gate] = [rank('decay'), rank('iclr'), rank('value_residual_mix'), rank('gate')];
  if (hiddenSize % headDim !== 0 || hiddenSize % 64 !== 0 || headDim % 4 !== 0) {
    throw new EngineError('model-incomplete', `The header says heads of ${headDim} in ${hiddenSize} numbers, which do not fit together.`, 'Download the file again.');
  }
  return (i) => {
    const tensor = (name: string, ...dims: number[]) => ({ name: `blk.${i}.time_mix_${name}`, dims });
    const matrix = (name: string, inputs: number, outputs: number) => [tensor(`${name}.weight`, inputs, outputs)];
    const vector = (name: string) => tensor(`${name}.weight`, hiddenSize);
    const mix = i === 0 ? rate : mixing;
    return {
      kind: 'linear',
      mechanism: 'rwkv',
      windowTokens: null,
      heads: hiddenSize / headDim,
      headDim,
      first: i === 0,
      rank: Math.max(decay, rate, mix, gate),
      tensors: {
        matrices: {
          receptance: matrix('receptance', hiddenSize, hiddenSize),
          key: matrix('key', hiddenSize, hiddenSize),
          value: matrix('value', hiddenSize, hiddenSize),
          decayIn: matrix('w1', hiddenSize, decay),
          decayOut: matrix('w2', decay, hiddenSize),
          rateIn: matrix('a1', hiddenSize, rate),
          rateOut: matrix('a2', rate, hiddenSize),
          mixIn: matrix('v1', hiddenSize, mix),
          mixOut: matrix('v2', mix, hiddenSize),
          gateIn: matrix('g1', hiddenSize, gate),
          gateOut: matrix('g2', gate, hiddenSize),
          output: matrix('output', hiddenSize, hiddenSize),
        },
        vectors: {
          shift: tensor('lerp_fused.weight', hiddenSize, 1, 1, 6),
          decayBias: vector('w0'),
          rateBias: vector('a0'),
          mixBias: vector('v0'),
          keyScale: vector('k_k'),
          keyRate: vector('k_a'),
          bonus: vector('r_k'),
          norm: vector('ln'),
          normBias: tensor('ln.bias', hiddenSize),
        },
      },
    };
  };
}
