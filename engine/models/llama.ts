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
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { type Family, size, vocabularySizeOf } from './family.ts';
import type { BlockSpec, ModelSpec, RotarySpec } from './spec.ts';

export const llama: Family = { architectures: ['llama'], describe };

function describe(file: GgufFile): ModelSpec {
  const { metadata, tensors } = file;
  const hiddenSize = size(file, 'llama.embedding_length', 65_536);
  const layers = size(file, 'llama.block_count', 1024);
  const heads = size(file, 'llama.attention.head_count', 1024);
  const kvHeads = size(file, 'llama.attention.head_count_kv', heads, heads);
  const headDim = size(file, 'llama.attention.key_length', 1024, hiddenSize / heads);
  const width = size(file, 'llama.feed_forward_length', 1 << 20);
  if (heads % kvHeads !== 0) {
    throw new EngineError('model-incomplete', `The header says ${heads} query heads over ${kvHeads} key heads, which do not divide.`, 'Download the file again.');
  }
  const rotary: RotarySpec = {
    pairing: 'adjacent',
    rotatedDims: size(file, 'llama.rope.dimension_count', headDim, headDim),
    base: metadata.numberOr('llama.rope.freq_base', 10_000),
    positionScale: 1 / linearFactor(file),
    divisors: tensors.has('rope_freqs.weight') ? 'rope_freqs.weight' : null,
  };
  const block = (i: number): BlockSpec => ({
    mixerNorm: `blk.${i}.attn_norm.weight`,
    mixer: {
      kind: 'full',
      heads,
      kvHeads,
      headDim,
      queryScale: 1 / Math.sqrt(headDim),
      windowTokens: null,
      rotary,
      tensors: {
        query: `blk.${i}.attn_q.weight`,
        key: `blk.${i}.attn_k.weight`,
        value: `blk.${i}.attn_v.weight`,
        output: `blk.${i}.attn_output.weight`,
        queryNorm: null,
        keyNorm: null,
      },
    },
    mixerPostNorm: null,
    feedForwardNorm: `blk.${i}.ffn_norm.weight`,
    feedForward: {
      activation: 'silu',
      width,
      tensors: { gate: `blk.${i}.ffn_gate.weight`, up: `blk.${i}.ffn_up.weight`, down: `blk.${i}.ffn_down.weight` },
    },
    feedForwardPostNorm: null,
  });
  return {
    architecture: 'llama',
    name: metadata.stringOr('general.name', 'Llama model'),
    hiddenSize,
    vocabularySize: vocabularySizeOf(file),
    contextTokens: size(file, 'llama.context_length', 1 << 24),
    normEpsilon: metadata.number('llama.attention.layer_norm_rms_epsilon'),
    embedding: { tensor: 'token_embd.weight', scale: 1 },
    blocks: Array.from({ length: layers }, (_, i) => block(i)),
    outputNorm: 'output_norm.weight',
    outputTensor: tensors.has('output.weight') ? 'output.weight' : 'token_embd.weight',
  };
}

function linearFactor({ metadata }: GgufFile): number {
  const type = metadata.stringOr('llama.rope.scaling.type', 'none');
  if (type === 'none') return 1;
  if (type === 'linear') return metadata.number('llama.rope.scaling.factor');
  throw new EngineError(
    'unknown-architecture',
    `The model asks for rope scaling "${type}"; Longleaf's llama family knows "none" and "linear".`,
    'Choose another conversion of this model.',
  );
}
