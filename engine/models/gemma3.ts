/**
 * Gemma 3 (text): five sliding-window layers to one that sees everything, norms before and after each
 * branch, norms on queries and keys.
 *
 *     x = √hidden · embedding[token]
 *     x += rms(Wo · attention(rope(rms(Wq·n)), rope(rms(Wk·n)), Wv·n))     n = rms(x)
 *     x += rms(Wdown · (gelu(Wgate·n) ⊙ Wup·n))                            n = rms(x)
 *     logits = embedding · rms(x)
 *
 * GGUF norm weights already contain Gemma's 1 + w. Local layers rotate with base 10 000, global ones
 * with the file's base and linear factor. Source: transformers `Gemma3TextModel`.
 */
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { projectionTensors } from './decoder.ts';
import { type Family, size, vocabularySizeOf } from './family.ts';
import { readRotary } from './rotary.ts';
import type { BlockSpec, ModelSpec, RotarySpec } from './spec.ts';

export const gemma3: Family = { architectures: ['gemma3'], describe };

function describe(file: GgufFile): ModelSpec {
  const { metadata, tensors } = file;
  const hiddenSize = size(file, 'gemma3.embedding_length', 65_536);
  const layers = size(file, 'gemma3.block_count', 1024);
  const heads = size(file, 'gemma3.attention.head_count', 1024);
  const kvHeads = size(file, 'gemma3.attention.head_count_kv', heads, heads);
  const headDim = size(file, 'gemma3.attention.key_length', 1024, hiddenSize / heads);
  const windowTokens = size(file, 'gemma3.attention.sliding_window', 1 << 24);
  const pattern = size(file, 'gemma3.attention.sliding_window_pattern', 1024, 6);
  const width = size(file, 'gemma3.feed_forward_length', 1 << 20);
  const globalRotary = readRotary(file, 'gemma3', { pairing: 'halves', headDim, base: 1_000_000 });
  const contextTokens = size(file, 'gemma3.context_length', 1 << 24);
  const localRotary: RotarySpec = { ...globalRotary, base: metadata.numberOr('gemma3.rope.freq_base_swa', 10_000), positionScale: 1 };
  const block = (i: number): BlockSpec => {
    const global = i % pattern === pattern - 1;
    return {
      mixerNorm: `blk.${i}.attn_norm.weight`,
      mixer: {
        kind: global ? 'full' : 'sliding',
        heads,
        kvHeads,
        headDim,
        queryScale: 1 / Math.sqrt(queryScalar(headDim, layers, hiddenSize, heads)),
        temperature: null,
        windowTokens: global ? null : windowTokens,
        rotary: global ? globalRotary : localRotary,
        tensors: {
          ...projectionTensors(file, i),
          output: `blk.${i}.attn_output.weight`,
          queryNorm: `blk.${i}.attn_q_norm.weight`,
          keyNorm: `blk.${i}.attn_k_norm.weight`,
        },
      },
      mixerPostNorm: `blk.${i}.post_attention_norm.weight`,
      feedForwardNorm: `blk.${i}.ffn_norm.weight`,
      feedForward: {
        kind: 'gated',
        activation: 'gelu-tanh',
        width,
        tensors: { gateUp: [`blk.${i}.ffn_gate.weight`, `blk.${i}.ffn_up.weight`], down: `blk.${i}.ffn_down.weight` },
      },
      feedForwardPostNorm: `blk.${i}.post_ffw_norm.weight`,
    };
  };
  return {
    architecture: 'gemma3',
    name: metadata.stringOr('general.name', 'Gemma 3 model'),
    hiddenSize,
    vocabularySize: vocabularySizeOf(file),
    contextTokens,
    trainedTokens: contextTokens,
    normEpsilon: metadata.number('gemma3.attention.layer_norm_rms_epsilon'),
    normKind: 'root mean square',
    residualScale: 1,
    logitScale: 1,
    embedding: { tensor: 'token_embd.weight', scale: Math.sqrt(hiddenSize), norm: null },
    blocks: Array.from({ length: layers }, (_, i) => block(i)),
    outputNorm: 'output_norm.weight',
    outputTensor: tensors.has('output.weight') ? 'output.weight' : 'token_embd.weight',
  };
}

/** Gemma scales scores by head size, except the 27B model (62 layers), which uses hidden ÷ heads. */
function queryScalar(headDim: number, layers: number, hiddenSize: number, heads: number): number {
  return layers === 62 ? hiddenSize / heads : headDim;
}
