/**
 * What a model takes of a machine's memory, computed from its header alone: the loader divides memory by the same
 * functions, so that what is said before a download and what happens when the model is loaded agree.
 */
import { EngineError } from './errors.ts';
import type { GgufFile } from './formats/gguf/readGguf.ts';
import { type KvLayout, kvBytesPerValue } from './layers/attention/layout.ts';
import { packedBytes } from './layers/linear/packedSize.ts';
import { ringSlackTokens } from './layers/mixers/attentionMixer.ts';
import { fullLayers, planTiers, type TierPlan } from './kv/tiers/plan.ts';
import { type FarFormat, recordWords } from './kv/tiers/record.ts';
import { kvBytes, type ModelSpec, tensorsOf } from './models/spec.ts';
import { scratchBytes } from './scratch.ts';

/** Rows that pass through the layers at once, at most. Fewer leave cores of a large GPU idle; activations grow with it. */
const maxRows = { gpu: 1024, software: 128 };
/** The same where keys and values share a budget with what a chunk needs. */
const maxFarRows = { gpu: 512, software: 128 };
/** Activations that wide models may take before they get fewer rows. */
const activationBytes = 300e6;
/** Rows of a chunk at most where something lies beyond the GPU, which streams past once for each chunk. */
const maxChunkRows = { gpu: 4096, software: 1024 };
/** Windows are whole multiples of this. */
const contextGranularity = 256;

export interface AdapterKind {
  kind: 'gpu' | 'software';
  kvFormat: KvLayout['format'];
}

export interface TierLimits {
  /** For keys, values and index of the layers that see everything. */
  gpuBudgetBytes: number;
  format: FarFormat;
  /** `needed`: only when the context does not fit the GPU's budget. */
  offload: 'needed' | 'always';
  /** Most far tokens a head may attend to exactly in a step, as a share of the context. */
  largestShare?: number;
  /** The same as a number, where it is more. */
  largestTokens?: number;
  /** Keep what the policy `quest` needs. */
  pages?: boolean;
  /** Keep what sparse reading needs. */
  keyMeans?: boolean;
  /** Leave out what only the policy `sketch` needs, where it does not fit. */
  mayLackSketch?: boolean;
}

export interface ContextPlan {
  contextTokens: number;
  /** Rows that pass through the layers at once. */
  rows: number;
  /** null when all keys and values are on the GPU. */
  tiers: TierPlan | null;
}

/** Divides memory for a window of `wanted` tokens; null: what the model declares, or what fits without tiers. Throws `context-exceeded`, `kv-budget-too-small`. */
export function planContext(spec: ModelSpec, adapter: AdapterKind, wanted: number | null, limits: { kvBudgetBytes: number; tiers: TierLimits | null }): ContextPlan {
  const { kind } = adapter;
  const { tiers } = limits;
  // Only keys and values of layers that see everything can lie elsewhere.
  const divisible = spec.blocks.some(({ mixer }) => mixer.kind === 'full');
  const affordable = (): number => (tiers && divisible ? spec.contextTokens : affordableContext(spec, adapter, tiers?.gpuBudgetBytes ?? limits.kvBudgetBytes));
  const contextTokens = wanted ? checkedContext(spec, wanted) : affordable();
  const rows = Math.min(affordableRows(spec, maxRows[kind], contextTokens), contextTokens);
  const needed = tiers && (tiers.offload === 'always' || residentKvBytes(spec, adapter, contextTokens) > tiers.gpuBudgetBytes);
  if (!needed || !divisible) return { contextTokens, rows, tiers: null };
  const { gpuBudgetBytes, format, pages, keyMeans, mayLackSketch, largestShare = 0.1, largestTokens } = tiers;
  const chunkRows = Math.min(maxChunkRows[kind], contextTokens);
  const plan = planTiers(spec, { gpuBytes: gpuBudgetBytes, format, contextTokens, maxRows: Math.min(rows, maxFarRows[kind]), maxChunkRows: chunkRows, largestShare, largestTokens, pages, keyMeans, mayLackSketch });
  return { contextTokens, rows: plan.maxRows, tiers: plan };
}

export interface MemoryNeeds {
  /** Weights as they are packed for the GPU. */
  weightsBytes: number;
  kv: {
    /** Keys, values and index on the GPU. */
    gpuBytes: number;
    /** Keys and values beyond it when the window is full: in RAM as far as they may, the rest on disk. */
    beyondBytes: number;
  };
  /** Activations, logits and scratch on the GPU. */
  workingBytes: number;
}

/** What the plan takes once the window is full. */
export function memoryNeeds(file: GgufFile, spec: ModelSpec, adapter: AdapterKind, plan: ContextPlan): MemoryNeeds {
  const weightsBytes = packedBytes(file, tensorsOf(spec));
  const workingBytes = scratchBytes(spec, plan.rows, plan.contextTokens);
  const slackTokens = plan.tiers ? plan.tiers.layout.segmentTokens : ringSlackTokens;
  const { full, sliding, linear } = kvBytes(spec, plan.contextTokens, kvBytesPerValue(adapter.kvFormat), plan.rows + slackTokens);
  if (!plan.tiers) return { weightsBytes, kv: { gpuBytes: full + sliding + linear, beyondBytes: 0 }, workingBytes };
  const { format, layout, bytes, maxChunkRows: chunkRows } = plan.tiers;
  const beyondBytes = 2 * 4 * recordWords(format, layout.headDim) * layout.kvHeads * fullLayers(spec).length * plan.contextTokens;
  // Rows of a chunk: their tokens and hidden states, queries, and what attention gives for them in parts.
  const chunkBytes = 4 * chunkRows * (1 + spec.hiddenSize + 2 * layout.heads * layout.headDim);
  return { weightsBytes, kv: { gpuBytes: bytes.total + sliding + linear, beyondBytes }, workingBytes: workingBytes + chunkBytes };
}

function checkedContext(spec: ModelSpec, contextTokens: number): number {
  if (contextTokens <= spec.contextTokens) return contextTokens;
  throw new EngineError(
    'context-exceeded',
    `A window of ${contextTokens} tokens was asked for, but the file of ${spec.name} declares ${spec.contextTokens} at most.`,
    `Ask for at most ${spec.contextTokens} tokens, or choose a model with a longer context.`,
  );
}

/** Rows whose activations stay small, in halves of `most`. */
function affordableRows(spec: ModelSpec, most: number, contextTokens: number): number {
  let rows = most;
  while (rows > 64 && scratchBytes(spec, rows, contextTokens) > activationBytes) rows /= 2;
  return rows;
}

/** What keys, values and states take when all are on the GPU. */
function residentKvBytes(spec: ModelSpec, { kind, kvFormat }: AdapterKind, tokens: number): number {
  const { full, sliding, linear } = kvBytes(spec, tokens, kvBytesPerValue(kvFormat), maxRows[kind] + ringSlackTokens);
  return full + sliding + linear;
}

/** The longest window whose keys and values fit the budget. */
function affordableContext(spec: ModelSpec, adapter: AdapterKind, budgetBytes: number): number {
  let tokens = spec.contextTokens;
  while (tokens > contextGranularity && residentKvBytes(spec, adapter, tokens) > budgetBytes) {
    tokens = Math.floor((tokens * 0.9) / contextGranularity) * contextGranularity;
  }
  return Math.max(tokens, Math.min(contextGranularity, spec.contextTokens));
}
