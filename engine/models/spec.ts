/**
 * A model as data: what a family file makes out of a GGUF header. The GPU runner and the CPU reference
 * walk the same description, and memory is computed from it before anything is loaded. Tensor names
 * are those of the file.
 */
import { type EvictingSpec, evictingState, routerShapes } from './evictingSpec.ts';
import { type LinearSpec, shapesOf, stateBytes } from './linearSpec.ts';
import { meansFloats, type SparseSpec } from './sparseSpec.ts';

/** Rotary position embedding; angle of pair i at position p is p · positionScale · base^(−2i/rotatedDims) ÷ divisor_i. */
export interface RotarySpec {
  /** `adjacent` rotates (x[2i], x[2i+1]); `halves` rotates (x[i], x[i + rotatedDims/2]). */
  pairing: 'adjacent' | 'halves';
  /** 0 where positions are not told by rotation; dimensions after them pass unchanged. */
  rotatedDims: number;
  base: number;
  /** 1 / factor for linear scaling, else 1. */
  positionScale: number;
  /** A tensor of rotatedDims/2 numbers that divide the frequencies (Llama 3 scaling, LongRoPE). */
  divisors: string | null;
  /** LongRoPE: the divisors of contexts that have room for more than `afterTokens`. */
  longDivisors: { tensor: string; afterTokens: number } | null;
  yarn: YarnSpec | null;
  /** Multiplies rotated dimensions of queries and keys (the attention factor of YaRN and LongRoPE), else 1. */
  magnitude: number;
}

/**
 * YaRN (arXiv 2309.00071): pairs that turn more than `fastTurns` times in `originalTokens` keep their frequency, those
 * that turn less than `slowTurns` times have it divided by `factor`, and those between pass from one to the other.
 */
export interface YarnSpec {
  factor: number;
  originalTokens: number;
  fastTurns: number;
  slowTurns: number;
}

export interface AttentionSpec {
  /** `full` sees every earlier token; `sliding` the last `windowTokens`, itself included. */
  kind: 'full' | 'sliding';
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Queries are multiplied by this before the dot product with the keys. */
  queryScale: number;
  /** Multiplies the query at position p further by 1 + rate · ln(1 + ⌊p / tokens⌋); null: not at all. */
  temperature: { rate: number; tokens: number } | null;
  windowTokens: number | null;
  rotary: RotarySpec;
  tensors: {
    /** Rows: all queries, then all keys, then all values; a tensor each, or one for all. */
    projections: readonly string[];
    /** Added to what `projections` give, in the same order; empty without. */
    biases: readonly string[];
    output: string;
    queryNorm: string | null;
    keyNorm: string | null;
  };
  /** The query tensor's rows are, for each head, its query and then a gate: what is attended to is multiplied by its sigmoid. */
  gatedQueries?: boolean;
}

/** What mixes information between tokens. */
export type MixerSpec = AttentionSpec | SparseSpec | EvictingSpec | LinearSpec;

/** Layers whose cache is a state of constant size: it can be looked at only as a whole, and only checkpoints lead back. */
export function keepsState(mixer: MixerSpec): mixer is EvictingSpec | LinearSpec {
  return mixer.kind === 'linear' || mixer.kind === 'evicting';
}

/** Bytes of such a layer's state. */
export function constantBytes(mixer: EvictingSpec | LinearSpec): number {
  if (mixer.kind === 'linear') return stateBytes(mixer);
  const { matrix, tail } = evictingState(mixer);
  return 4 * (matrix + tail);
}

/** Whether all that a layer's heads do is one softmax over keys that are all there: what the inspector can show. */
export function isPlainAttention(mixer: MixerSpec): mixer is AttentionSpec {
  return mixer.kind === 'full' || mixer.kind === 'sliding';
}

/** Heads that the inspector can show. */
export function attentionHeads(mixer: MixerSpec): number {
  return isPlainAttention(mixer) ? mixer.heads : 0;
}

/** down · (activation(gate·x) ⊙ up·x) */
export interface GatedSpec {
  kind: 'gated';
  activation: 'silu' | 'gelu-tanh';
  width: number;
  /** `gateUp`: rows of the gate, then of up; a tensor each, or one for both. */
  tensors: { gateUp: readonly string[]; down: string };
}

/** A mixture of experts: each token goes through the few gated feed-forwards that a router chooses for it. */
export interface ExpertsSpec {
  kind: 'experts';
  activation: 'silu' | 'gelu-tanh';
  /** Of one expert. */
  width: number;
  experts: number;
  /** Experts a token goes through: those of the largest logits of the router. */
  chosen: number;
  /** Shares are a softmax over the chosen experts; else over all of them. */
  normalised: boolean;
  /** Multiplies the shares. */
  scale: number;
  /** Like those of a gated feed-forward, with the experts one after another in the last dimension. */
  tensors: { router: string; gateUp: readonly string[]; down: string };
  shared: SharedExpertSpec | null;
}

/** An expert that every token goes through, times the sigmoid of `gate`·x where there is one. */
export interface SharedExpertSpec {
  width: number;
  tensors: { gate: string | null; gateUp: readonly string[]; down: string };
}

/**
 * The channel mix of RWKV: value · relu(key · x')², with x' the row mixed with the row before it, which stays in the state of
 * the block's mixer.
 */
export interface ChannelMixSpec {
  kind: 'channel mix';
  width: number;
  tensors: { shift: string; key: string; value: string };
}

export type FeedForwardSpec = GatedSpec | ExpertsSpec | ChannelMixSpec;

/** hidden += residualScale · postNorm(mixer(norm(hidden))); the same with the feed-forward. */
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
  /** The longest context it was trained on: less than `contextTokens` where positions are only stretched. */
  trainedTokens: number;
  normEpsilon: number;
  /** `layer`: a norm also takes out the mean, and adds the bias that its tensor's name has instead of `weight`. */
  normKind: 'root mean square' | 'layer';
  /** Factor on what a block adds to the hidden state; 1 but for Granite. */
  residualScale: number;
  /** Factor on the logits; 1 but for Granite. */
  logitScale: number;
  embedding: { tensor: string; scale: number; norm: string | null };
  blocks: readonly BlockSpec[];
  outputNorm: string;
  /** The embedding's tensor when the model ties them. */
  outputTensor: string;
}

/**
 * The bytes of keys and values for `tokens` tokens, and of states, by layer kind. `slack`: extra ring slots of sliding
 * layers. States lie there twice.
 */
export function kvBytes(spec: ModelSpec, tokens: number, bytesPerValue: number, slackTokens: number): { full: number; sliding: number; linear: number } {
  const bytes = { full: 0, sliding: 0, linear: 0 };
  for (const { mixer } of spec.blocks) {
    if (keepsState(mixer)) {
      bytes.linear += 2 * constantBytes(mixer);
      continue;
    }
    if (mixer.kind === 'sparse') {
      bytes.full += 4 * (2 * tokens * mixer.kvHeads * mixer.headDim + meansFloats(mixer, tokens));
      continue;
    }
    const slots = Math.min(tokens, (mixer.windowTokens ?? tokens) + (mixer.windowTokens ? slackTokens : 0));
    bytes[mixer.kind] += 2 * slots * mixer.kvHeads * mixer.headDim * bytesPerValue;
  }
  return bytes;
}

function feedForwardTensors(spec: FeedForwardSpec): string[] {
  if (spec.kind === 'channel mix') return Object.values(spec.tensors);
  const names = [...spec.tensors.gateUp, spec.tensors.down];
  if (spec.kind === 'gated') return names;
  names.push(spec.tensors.router);
  if (!spec.shared) return names;
  const { gate, gateUp, down } = spec.shared.tensors;
  return [...names, ...gateUp, down, ...(gate ? [gate] : [])];
}

function mixerTensors(mixer: MixerSpec): string[] {
  if (mixer.kind === 'linear') return shapesOf(mixer).map(({ name }) => name);
  const { rotary, tensors } = mixer;
  const optional = [tensors.queryNorm, tensors.keyNorm, rotary.divisors, rotary.longDivisors?.tensor];
  const router = mixer.kind === 'evicting' ? routerShapes(mixer.router).map(({ name }) => name) : [];
  const gates = mixer.kind === 'sparse' ? [mixer.gates.name] : [];
  return [...tensors.projections, ...tensors.biases, tensors.output, ...router, ...gates, ...optional.filter((name) => typeof name === 'string')];
}

/** The tensor of a layer norm's bias. */
export function biasOf(norm: string): string {
  return norm.replace(/weight$/, 'bias');
}

/** Tensors of [hiddenSize]: gains of norms, and their biases. */
export function normTensors({ blocks, embedding, outputNorm, normKind }: ModelSpec): string[] {
  const ofBlocks = blocks.flatMap((block) => [block.mixerNorm, block.mixerPostNorm, block.feedForwardNorm, block.feedForwardPostNorm]);
  const gains = [embedding.norm, ...ofBlocks, outputNorm].filter((name) => name !== null);
  return normKind === 'layer' ? gains.flatMap((name) => [name, biasOf(name)]) : gains;
}

/** Every tensor the description uses, each once. */
export function tensorsOf(spec: ModelSpec): Set<string> {
  const names = [spec.embedding.tensor, spec.outputTensor, ...normTensors(spec)];
  for (const { mixer, feedForward } of spec.blocks) names.push(...feedForwardTensors(feedForward), ...mixerTensors(mixer));
  return new Set(names);
}

