/** A model on the GPU, ready to read: from a file's bytes to a runner and its sequence. */
import type { Device } from './device/device.ts';
import { type GgufFile, readGguf } from './formats/gguf/readGguf.ts';
import { rememberAttention } from './layers/attention/choice.ts';
import { chooseKvFormat, type KvLayout } from './layers/attention/layout.ts';
import { type ChoiceCache, createLinearKernels, type LinearKernels } from './layers/linear/linear.ts';
import { storedCodes } from './layers/linear/packedSize.ts';
import { FarStore } from './kv/tiers/farStore.ts';
import { fullLayers, type TierPlan } from './kv/tiers/plan.ts';
import type { SparseReading } from './layers/sparseReading/sparseReading.ts';
import { divisorsFor } from './layers/rotary.ts';
import { describeModel } from './models/registry.ts';
import { planContext, type TierLimits } from './memoryPlan.ts';
import type { ModelSpec } from './models/spec.ts';
import { loadWeights, type LoadOptions, TensorReader } from './models/weights.ts';
import type { BlockStore, LongCopies, SharedCopies, WeightSource } from './ports.ts';
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
  /** How documents are read beyond some length; left out or null, everything is attended to. */
  sparseReading?: SparseReading | null;
  /** Of keys and values on the GPU, for measuring what rounding does; left out, what suits the adapter. */
  kvFormat?: KvLayout['format'];
  choices: ChoiceCache;
}

export interface TierOptions extends TierLimits {
  ramBudgetBytes: number;
  /** null keeps everything in RAM. */
  disk: BlockStore | null;
  /** Threads that gather what lies in RAM; left out or null, one thread does it. */
  copies?: SharedCopies | null;
  /** Threads that bring windows of it to the GPU, the same. */
  longCopies?: LongCopies | null;
  /** Keep what the policy `graph` needs, and where it computes. */
  graphs?: GraphOptions | null;
}

export interface LoadedModel {
  /** Whose memory is the model's: what is made for it by this device goes with it. */
  device: Device;
  file: GgufFile;
  spec: ModelSpec;
  /** Weights of the file, by number. */
  parameters: number;
  contextTokens: number;
  loading: LoadTimes;
  kernels: LinearKernels;
  runner: Runner;
  sequence: Sequence;
  free(): void;
}

export interface LoadTimes {
  headerMs: number;
  /** Choosing the kernels of matrix products, which is measured once on an adapter. */
  kernelsMs: number;
  weightsMs: number;
  /** Of the file's tensors. */
  weightBytes: number;
  /** Caches, and compiling all kernels. */
  runnerMs: number;
}

/** Throws every named error of the reader and the families, `out-of-gpu-memory`, `device-lost`, `cancelled`. */
export async function loadModel(device: Device, source: WeightSource, options: ModelOptions): Promise<LoadedModel> {
  const own = device.scope();
  try {
    return await load(own, source, options);
  } catch (error) {
    own.memory.freeAll();
    throw error;
  }
}

async function load(device: Device, source: WeightSource, options: ModelOptions): Promise<LoadedModel> {
  const lap = stopwatch();
  const file = await readGguf(source, { signal: options.signal });
  const spec = describeModel(file);
  const headerMs = lap();
  const kernels = await createLinearKernels(device, options.choices, { codes: storedCodes(file) });
  const kernelsMs = lap();
  rememberAttention(device, options.choices);
  const weights = await loadWeights(device, kernels, file, spec, options).finally(() => kernels.finishUploads());
  await device.finished();
  const weightsMs = lap();
  const kvFormat = options.kvFormat ?? chooseKvFormat(device);
  const plan = planContext(spec, { kind: device.facts.kind, kvFormat }, options.contextTokens, { kvBudgetBytes: options.kvBudgetBytes, tiers: options.tiers ? { ...options.tiers, keyMeans: Boolean(options.sparseReading) } : null });
  const { contextTokens } = plan;
  const divisors = await readDivisors(file, spec, contextTokens);
  const tiers = plan.tiers && options.tiers ? openTiers(spec, options.tiers, plan.tiers) : null;
  const runner = await Runner.create(device, kernels, spec, weights, {
    contextTokens,
    maxRows: plan.rows,
    kvFormat,
    divisors,
    sparseReading: options.sparseReading,
    tiers,
  });
  const sequence = new Sequence(device, runner);
  const weightBytes = [...file.tensors.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const loading = { headerMs, kernelsMs, weightsMs, weightBytes, runnerMs: lap() };
  const parameters = [...file.tensors.values()].reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0);
  const free = (): void => {
    sequence.clear();
    runner.free();
    device.memory.freeAll();
  };
  return { device, file, spec, parameters, contextTokens, loading, kernels, runner, sequence, free };
}

/** Each call gives the milliseconds since the one before. */
function stopwatch(): () => number {
  let sinceMs = performance.now();
  return () => {
    const beforeMs = sinceMs;
    sinceMs = performance.now();
    return sinceMs - beforeMs;
  };
}

function openTiers(spec: ModelSpec, options: TierOptions, plan: TierPlan): { plan: TierPlan; store: FarStore; graphs: GraphOptions | null } {
  const { kvHeads, headDim, segmentTokens } = plan.layout;
  const store = new FarStore({ layers: fullLayers(spec).length, kvHeads, headDim, segmentTokens, format: options.format }, options);
  return { plan, store, graphs: options.graphs ?? null };
}

async function readDivisors(file: GgufFile, spec: ModelSpec, contextTokens: number): Promise<Map<string, Float32Array>> {
  const names = new Set(spec.blocks.map(({ mixer }) => (mixer.kind === 'linear' ? null : divisorsFor(mixer.rotary, contextTokens))).filter((name) => name !== null));
  const reader = new TensorReader(file);
  const divisors = new Map<string, Float32Array>();
  for (const name of names) divisors.set(name, await reader.vector(name));
  return divisors;
}
