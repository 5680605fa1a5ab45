/** A model on the GPU, ready to read: from a file's bytes to a runner and its sequence. */
import type { Device } from './device/device.ts';
import { EngineError } from './errors.ts';
import { type GgufFile, readGguf } from './formats/gguf/readGguf.ts';
import { chooseKvFormat, kvBytesPerValue, type KvLayout } from './layers/attention/layout.ts';
import { type ChoiceCache, createLinearKernels, type LinearKernels } from './layers/linear/linear.ts';
import { FarStore } from './kv/tiers/farStore.ts';
import { fullLayers, planTiers, type TierPlan } from './kv/tiers/plan.ts';
import type { FarFormat } from './kv/tiers/record.ts';
import { ringSlackTokens } from './layers/mixers/attentionMixer.ts';
import { divisorsFor } from './layers/rotary.ts';
import { describeModel } from './models/registry.ts';
import { kvBytes, type ModelSpec } from './models/spec.ts';
import { loadWeights, type LoadOptions, type ModelWeights, TensorReader } from './models/weights.ts';
import type { BlockStore, WeightSource } from './ports.ts';
import type { GraphOptions } from './retrieval/graph/graphIndex.ts';
import { Runner } from './runner.ts';
import { Sequence } from './sequence.ts';

export interface ModelOptions extends LoadOptions {
  /** The window to allocate; null takes what the model was trained for, as far as the KV budget allows. */
  contextTokens: number | null;
  /** Most bytes of keys and values when `contextTokens` is null. */
  kvBudgetBytes: number;
  /** Keeps keys and values that do not fit outside the GPU; `contextTokens` null then means the model's whole context. */
  tiers?: TierOptions | null;
  /** Of keys and values on the GPU, for measuring what rounding does; left out, what suits the adapter. */
  kvFormat?: KvLayout['format'];
  choices: ChoiceCache;
}

export interface TierOptions {
  /** For keys, values and index of the layers that see everything. */
  gpuBudgetBytes: number;
  ramBudgetBytes: number;
  format: FarFormat;
  /** null keeps everything in RAM. */
  disk: BlockStore | null;
  /** `needed`: only when the context does not fit the GPU's budget. */
  offload: 'needed' | 'always';
  /** Most far tokens a head may attend to exactly in a step, as a share of the context. */
  largestShare?: number;
  /** The same as a number, where it is more. */
  largestTokens?: number;
  /** Keep what the policy `quest` needs. */
  pages?: boolean;
  /** Keep what the policy `graph` needs, and where it computes. */
  graphs?: GraphOptions | null;
}

export interface LoadedModel {
  file: GgufFile;
  spec: ModelSpec;
  /** Weights of the file, by number. */
  parameters: number;
  contextTokens: number;
  kernels: LinearKernels;
  runner: Runner;
  sequence: Sequence;
  free(): void;
}

/** Rows that pass through the layers at once, at most. More would not be faster, and activations grow with it. */
const maxRows = { gpu: 512, software: 128 };
/** Rows of a chunk at most where something lies beyond the GPU, which streams past once for each chunk. */
const maxChunkRows = { gpu: 4096, software: 1024 };
/** Windows are whole multiples of this. */
const contextGranularity = 256;

/** Throws every named error of the reader and the families, `out-of-gpu-memory`, `device-lost`, `cancelled`. */
export async function loadModel(device: Device, source: WeightSource, options: ModelOptions): Promise<LoadedModel> {
  const file = await readGguf(source, { signal: options.signal });
  const spec = describeModel(file);
  const kernels = await createLinearKernels(device, options.choices);
  const weights = await loadWeights(device, kernels, file, spec, options);
  const kvFormat = options.kvFormat ?? chooseKvFormat(device);
  const contextTokens = options.contextTokens
    ? checkedContext(spec, options.contextTokens)
    : options.tiers
      ? spec.contextTokens
      : affordableContext(device, spec, kvFormat, options.kvBudgetBytes);
  const divisors = await readDivisors(file, spec, contextTokens);
  const rows = Math.min(maxRows[device.facts.kind], contextTokens);
  const needed = options.tiers && (options.tiers.offload === 'always' || residentBytes(device, spec, kvFormat, contextTokens) > options.tiers.gpuBudgetBytes);
  const tiers = options.tiers && needed && spec.blocks.some(({ mixer }) => mixer.kind === 'full') ? openTiers(spec, options.tiers, contextTokens, { maxRows: rows, maxChunkRows: Math.min(maxChunkRows[device.facts.kind], contextTokens) }) : null;
  const runner = await Runner.create(device, kernels, spec, weights, {
    contextTokens,
    maxRows: tiers?.plan.maxRows ?? rows,
    kvFormat,
    divisors,
    tiers,
  });
  const sequence = new Sequence(device, runner);
  const parameters = [...file.tensors.values()].reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0);
  const free = (): void => {
    sequence.clear();
    runner.free();
    freeWeights(device, weights);
  };
  return { file, spec, parameters, contextTokens, kernels, runner, sequence, free };
}

function openTiers(spec: ModelSpec, options: TierOptions, contextTokens: number, rows: { maxRows: number; maxChunkRows: number }): { plan: TierPlan; store: FarStore; graphs: GraphOptions | null } {
  const { gpuBudgetBytes, format, pages, graphs = null, largestShare = 0.1, largestTokens } = options;
  const plan = planTiers(spec, { gpuBytes: gpuBudgetBytes, format, contextTokens, ...rows, largestShare, largestTokens, pages });
  const { kvHeads, headDim, segmentTokens } = plan.layout;
  const store = new FarStore({ layers: fullLayers(spec).length, kvHeads, headDim, segmentTokens, format }, options);
  return { plan, store, graphs };
}

function checkedContext(spec: ModelSpec, contextTokens: number): number {
  if (contextTokens <= spec.contextTokens) return contextTokens;
  throw new EngineError(
    'context-exceeded',
    `A window of ${contextTokens} tokens was asked for, but ${spec.name} was trained for ${spec.contextTokens}.`,
    `Ask for at most ${spec.contextTokens} tokens, or choose a model with a longer context.`,
  );
}

/** What keys and values take when all are on the GPU. */
function residentBytes(device: Device, spec: ModelSpec, kvFormat: KvLayout['format'], tokens: number): number {
  const { full, sliding } = kvBytes(spec, tokens, kvBytesPerValue(kvFormat), maxRows[device.facts.kind] + ringSlackTokens);
  return full + sliding;
}

/** The longest window whose keys and values fit the budget. */
function affordableContext(device: Device, spec: ModelSpec, kvFormat: KvLayout['format'], budgetBytes: number): number {
  const bytesFor = (tokens: number): number => residentBytes(device, spec, kvFormat, tokens);
  let tokens = spec.contextTokens;
  while (tokens > contextGranularity && bytesFor(tokens) > budgetBytes) {
    tokens = Math.floor((tokens * 0.9) / contextGranularity) * contextGranularity;
  }
  return Math.max(tokens, Math.min(contextGranularity, spec.contextTokens));
}

async function readDivisors(file: GgufFile, spec: ModelSpec, contextTokens: number): Promise<Map<string, Float32Array>> {
  const names = new Set(spec.blocks.map(({ mixer }) => divisorsFor(mixer.rotary, contextTokens)).filter((name) => name !== null));
  const reader = new TensorReader(file);
  const divisors = new Map<string, Float32Array>();
  for (const name of names) divisors.set(name, await reader.vector(name));
  return divisors;
}

function freeWeights(device: Device, weights: ModelWeights): void {
  weights.embedding.free();
  if (weights.output !== weights.embedding) weights.output.free();
  device.memory.free(weights.outputNorm);
  for (const block of weights.blocks) {
    for (const part of Object.values(block)) {
      if (part === null) continue;
      if ('mapState' in part) device.memory.free(part);
      else part.free();
    }
  }
}
