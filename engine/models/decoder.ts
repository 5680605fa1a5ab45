/**
 * What Llama and its descendants share: sizes, tensor names, and blocks of attention and a gated feed-forward with a norm
 * before each. A family file says how its own model departs from this.
 *
 *     x = embedding[token]
 *     x += Wo · attention(rope(Wq·n), rope(Wk·n), Wv·n)      n = rms(x)
 *     x += Wdown · (silu(Wgate·n) ⊙ Wup·n)                   n = rms(x)
 *     logits = Wout · rms(x)
 */
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { perLayer, size, vocabularySizeOf } from './family.ts';
import { readRotary, trainedTokens } from './rotary.ts';
import type { AttentionSpec, BlockSpec, FeedForwardSpec, MixerSpec, ModelSpec, RotarySpec } from './spec.ts';

export interface Departures {
  pairing: RotarySpec['pairing'];
  /** Norms on each head of queries and keys. */
  queryKeyNorm?: boolean;
  /** In place of 1/√headDim. */
  queryScale?: number;
  temperature?: AttentionSpec['temperature'];
  /** Layers that do not rotate see no positions. */
  rotates?(layer: number): boolean;
  /** Each head's rows of queries are followed by those of a gate for its output. */
  gatedQueries?: boolean;
  /** What takes the place of a layer's attention, if anything. */
  mixer?(layer: number, attention: (layer: number) => AttentionSpec): MixerSpec | null;
  feedForward?(layer: number): FeedForwardSpec;
  /** Blocks at the end that are not for plain decoding. */
  skippedLayers?: number;
  /** Names where they differ from Llama's. */
  feedForwardNorm?: string;
  outputNorm?: string;
  embeddingScale?: number;
  residualScale?: number;
  logitScale?: number;
  /** The model was trained with its rope scaling, though files do not say so. */
  trainedWithScaling?: boolean;
}

export function describeDecoder(file: GgufFile, architecture: string, departures: Departures): ModelSpec {
  const { metadata, tensors } = file;
  const key = (name: string): string => `${architecture}.${name}`;
  const hiddenSize = size(file, key('embedding_length'), 65_536);
  const layers = size(file, key('block_count'), 1024) - (departures.skippedLayers ?? 0);
  const heads = size(file, key('attention.head_count'), 1024);
  const kvHeads = metadata.has(key('attention.head_count_kv')) ? perLayer(file, key('attention.head_count_kv'), layers) : Array<number>(layers).fill(heads);
  const headDim = size(file, key('attention.key_length'), 1024, hiddenSize / heads);
  const rotary = readRotary(file, architecture, { pairing: departures.pairing, headDim });
  const { queryKeyNorm = false, queryScale = 1 / Math.sqrt(headDim), temperature = null, rotates = () => true } = departures;
  const attention = (i: number): AttentionSpec => {
    if (kvHeads[i] === 0 || heads % kvHeads[i] !== 0) {
      throw new EngineError('model-incomplete', `The header says ${heads} query heads over ${kvHeads[i]} key heads, which do not divide.`, 'Download the file again.');
    }
    return {
      kind: 'full',
      heads,
      kvHeads: kvHeads[i],
      headDim,
      queryScale,
      temperature,
      windowTokens: null,
      rotary: rotates(i) ? rotary : { ...rotary, rotatedDims: 0, divisors: null, longDivisors: null, yarn: null },
      tensors: {
        ...projectionTensors(file, i),
        output: `blk.${i}.attn_output.weight`,
        queryNorm: queryKeyNorm ? `blk.${i}.attn_q_norm.weight` : null,
        keyNorm: queryKeyNorm ? `blk.${i}.attn_k_norm.weight` : null,
      },
      gatedQueries: departures.gatedQueries ?? false,
    };
  };
  const { feedForward = (layer) => gatedFeedForward(file, architecture, layer) } = departures;
  const block = (i: number): BlockSpec => ({
    mixerNorm: `blk.${i}.attn_norm.weight`,
    mixer: departures.mixer?.(i, attention) ?? attention(i),
    mixerPostNorm: null,
    feedForwardNorm: `blk.${i}.${departures.feedForwardNorm ?? 'ffn_norm'}.weight`,
    feedForward: feedForward(i),
    feedForwardPostNorm: null,
  });
  const contextTokens = size(file, key('context_length'), 1 << 24);
  return {
    architecture,
    name: metadata.stringOr('general.name', `${architecture} model`),
    hiddenSize,
    vocabularySize: vocabularySizeOf(file),
    contextTokens,
    trainedTokens: departures.trainedWithScaling ? contextTokens : trainedTokens(file, architecture, contextTokens, rotary),
    normEpsilon: metadata.number(key('attention.layer_norm_rms_epsilon')),
    normKind: 'root mean square',
    residualScale: departures.residualScale ?? 1,
    logitScale: departures.logitScale ?? 1,
    embedding: { tensor: 'token_embd.weight', scale: departures.embeddingScale ?? 1, norm: null },
    blocks: Array.from({ length: layers }, (_, i) => block(i)),
    outputNorm: departures.outputNorm ?? 'output_norm.weight',
    outputTensor: tensors.has('output.weight') ? 'output.weight' : 'token_embd.weight',
  };
}

/** Converters write queries, keys and values as one tensor or as three, with or without biases. */
export function projectionTensors({ tensors }: GgufFile, layer: number): Pick<AttentionSpec['tensors'], 'projections' | 'biases'> {
  const parts = tensors.has(`blk.${layer}.attn_qkv.weight`) ? ['attn_qkv'] : ['attn_q', 'attn_k', 'attn_v'];
  const biased = tensors.has(`blk.${layer}.${parts[0]}.bias`);
  return {
    projections: parts.map((part) => `blk.${layer}.${part}.weight`),
    biases: biased ? parts.map((part) => `blk.${layer}.${part}.bias`) : [],
  };
}

export function gatedFeedForward(file: GgufFile, architecture: string, layer: number): FeedForwardSpec {
  return {
    kind: 'gated',
    activation: 'silu',
    width: size(file, `${architecture}.feed_forward_length`, 1 << 20),
    tensors: { gateUp: [`blk.${layer}.ffn_gate.weight`, `blk.${layer}.ffn_up.weight`], down: `blk.${layer}.ffn_down.weight` },
  };
}
