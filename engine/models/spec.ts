/**
 * A model as data: what a family file makes out of a GGUF header. The GPU runner and the CPU reference
 * walk the same description, and memory is computed from it before anything is loaded. Tensor names
 * are those of the file.
 */

/** Rotary position embedding; angle of pair i at position p is p · positionScale · base^(−2i/rotatedDims) ÷ divisor_i. */
export interface RotarySpec {
  /** `adjacent` rotates (x[2i], x[2i+1]); `halves` rotates (x[i], x[i + rotatedDims/2]). */
  pairing: 'adjacent' | 'halves';
  rotatedDims: number;
  base: number;
  /** 1 / factor for linear scaling, else 1. */
  positionScale: number;
  /** A tensor of rotatedDims/2 numbers that divide the frequencies (Llama 3 scaling). */
  divisors: string | null;
}

export interface AttentionSpec {
  /** `full` sees every earlier token; `sliding` the last `windowTokens`, itself included. */
  kind: 'full' | 'sliding';
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Queries are multiplied by this before the dot product with the keys. */
  queryScale: number;
  windowTokens: number | null;
  rotary: RotarySpec;
  tensors: {
    query: string;
    key: string;
    value: string;
    output: string;
    queryNorm: string | null;
    keyNorm: string | null;
  };
}

/** What mixes information between tokens. Linear attention and learned eviction join here. */
export type MixerSpec = AttentionSpec;

export interface FeedForwardSpec {
  activation: 'silu' | 'gelu-tanh';
  width: number;
  tensors: { gate: string; up: string; down: string };
}

/** hidden += postNorm(mixer(norm(hidden))); hidden += postNorm(feedForward(norm(hidden))). */
export interface BlockSpec {
  mixerNorm: string;
  mixer: MixerSpec;
  mixerPostNorm: string | null;
  feedForwardNorm: string;
  feedForward: FeedForwardSpec;
  feedForwardPostNorm: string | null;
}

export interface ModelSpec {
  architecture: string;
  name: string;
  hiddenSize: number;
  vocabularySize: number;
  /** The longest context the file declares. */
  contextTokens: number;
  normEpsilon: number;
  embedding: { tensor: string; scale: number };
  blocks: readonly BlockSpec[];
  outputNorm: string;
  /** The embedding's tensor when the model ties them. */
  outputTensor: string;
}

/** The bytes of keys and values for `tokens` tokens, by layer kind. `slack`: extra ring slots of sliding layers. */
export function kvBytes(spec: ModelSpec, tokens: number, bytesPerValue: number, slackTokens: number): { full: number; sliding: number } {
  const bytes = { full: 0, sliding: 0 };
  for (const { mixer } of spec.blocks) {
    const slots = Math.min(tokens, (mixer.windowTokens ?? tokens) + (mixer.windowTokens ? slackTokens : 0));
    bytes[mixer.kind] += 2 * slots * mixer.kvHeads * mixer.headDim * bytesPerValue;
  }
  return bytes;
}

/** Every tensor the description uses, each once. */
export function tensorsOf(spec: ModelSpec): Set<string> {
  const names = [spec.embedding.tensor, spec.outputNorm, spec.outputTensor];
  for (const block of spec.blocks) {
    names.push(block.mixerNorm, block.feedForwardNorm, ...Object.values(block.feedForward.tensors));
    for (const name of [block.mixerPostNorm, block.feedForwardPostNorm, block.mixer.rotary.divisors]) if (name) names.push(name);
    for (const name of Object.values(block.mixer.tensors)) if (name) names.push(name);
  }
  return new Set(names);
}

