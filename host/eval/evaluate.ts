/** Runs suites on one device: every case that no earlier run has finished, each written down as soon as it is known. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { caseKey, type CaseLine, residentPolicy } from '../../bench/truth/caseLines.ts';
import { type DocumentOptions, makeDocument } from '../../bench/truth/cases.ts';
import { evaluateDocument, type Variant } from '../../bench/truth/evaluateDocument.ts';
import type { Device } from '../../engine/device/device.ts';
import { Readback } from '../../engine/device/readback.ts';
import type { Policy } from '../../engine/kv/tiers/policy.ts';
import { type LoadedModel, loadModel } from '../../engine/model.ts';
import type { ModelSpec } from '../../engine/models/spec.ts';
import type { SharedCopies } from '../../engine/ports.ts';
import { choosePromptStyle } from '../../engine/prompt/promptStyle.ts';
import { renderTemplateText } from '../../engine/prompt/templateText.ts';
import { createTokenizer } from '../../engine/tokenizer/createTokenizer.ts';
import { ChoiceFile } from '../gpu-worker/choiceFile.ts';
import { CopyThreads } from '../gpu-worker/copyThreads.ts';
import { SpillFolder } from '../gpu-worker/spillFolder.ts';
import { WorkerThreads } from '../gpu-worker/workerThreads.ts';
import { openModelSource } from '../models/openModelSource.ts';
import { readCases } from './caseFiles.ts';
import { readEvalData } from './evalData.ts';
import type { EvalRequest, KvAmount } from './evalProtocol.ts';

export interface EvaluateHooks {
  signal?: AbortSignal;
  onProgress(done: number, total: number): void;
  onNote(text: string): void;
}

/** Beside the document: the prompt's frame, a question and its answer. */
const frameTokens = 320;

interface Task {
  suite: DocumentOptions['suite'];
  documentTokens: number;
  depth: number | null;
  seed: number;
}

/** All lanes of this process's share, each of which takes a share of it. */
export async function evaluate(device: Device, request: EvalRequest, hooks: EvaluateHooks): Promise<void> {
  const { shard, lanes } = request;
  const shares = new Map<number, { done: number; total: number }>();
  const copies = CopyThreads.forThisMachine();
  await Promise.all(
    Array.from({ length: lanes }, (_, lane) =>
      evaluateLane(device, { ...request, shard: { index: shard.index * lanes + lane, count: shard.count * lanes } }, {
        ...hooks,
        onNote: lane === 0 ? hooks.onNote : () => undefined,
        onProgress: (done, total) => {
          shares.set(lane, { done, total });
          const all = [...shares.values()];
          hooks.onProgress(all.reduce((sum, share) => sum + share.done, 0), all.reduce((sum, share) => sum + share.total, 0));
        },
      }, copies),
    ),
  ).finally(() => copies?.close());
}

async function evaluateLane(device: Device, request: EvalRequest, hooks: EvaluateHooks, copies: SharedCopies | null): Promise<void> {
  const { suites, lengthsTokens, depths, seeds, policies, sparseReadings, shard, outFolder } = request;
  const endMs = request.seconds === null ? Infinity : performance.now() + 1000 * request.seconds;
  const isOver = (): boolean => performance.now() > endMs;
  mkdirSync(outFolder, { recursive: true });
  const done = new Set(readCases(outFolder).map(caseKey));
  const file = join(outFolder, `cases-${shard.index}.jsonl`);
  // Seeds outermost: whenever the run ends, all cells have about the same documents.
  const tasks: Task[] = seeds
    .flatMap((seed) => lengthsTokens.flatMap((documentTokens) => suites.flatMap((suite) => depths.map((depth) => ({ suite, documentTokens, depth, seed })))))
    .filter((_, number) => number % shard.count === shard.index);
  const data = readEvalData(request.dataFolder, request.book, suites);
  const kv = kvLabel(request);
  let models: Models | null = null;
  let modelsTokens = 0;
  try {
    for (const [number, { suite, documentTokens, depth, seed }] of tasks.entries()) {
      hooks.onProgress(number, tasks.length);
      if (isOver()) break;
      if (models === null || modelsTokens !== documentTokens) {
        models?.free();
        models = await openModels(device, request, { contextTokens: documentTokens + frameTokens, copies }, hooks);
        modelsTokens = documentTokens;
      }
      const { tokenizer, style, resident, variants, readback } = models;
      const document = await makeDocument({ tokenizer, style, runTemplate: async (template, context) => renderTemplateText(template, context), suite, ...data, documentTokens, depth, seed });
      const base = { model: request.modelName, suite, lengthTokens: documentTokens, depth, seed, kv };
      const seedLimit = new Map(sparseReadings.flatMap((reading) => policies.map(({ label, seeds: limit }) => [labelOf(label, reading), limit])));
      await evaluateDocument(document, {
        resident,
        variants,
        readback,
        signal: hooks.signal,
        isWanted: (tail, policy) => !isOver() && seeds.indexOf(seed) < (seedLimit.get(policy) ?? Infinity) && !done.has(caseKey({ ...base, tail, policy })),
        onCase: (result) => {
          const line: CaseLine = { ...base, ...result };
          done.add(caseKey(line));
          appendFileSync(file, `${JSON.stringify(line)}\n`);
        },
      });
    }
    if (isOver()) hooks.onNote(`stopped after ${request.seconds} s; the same command goes on`);
    else hooks.onProgress(tasks.length, tasks.length);
  } finally {
    models?.free();
  }
}

/** E.g. `read 25%@65536, sketch 2%`. */
function labelOf(label: string, reading: EvalRequest['sparseReadings'][number]): string {
  return reading ? `read ${Number((100 * reading.share).toFixed(4))}%@${reading.fromTokens}, ${label}` : label;
}

/** E.g. `25% f16`. */
function kvLabel({ kv }: Pick<EvalRequest, 'kv'>): string {
  return `${'share' in kv.gpu ? `${Number((100 * kv.gpu.share).toFixed(2))}%` : `${kv.gpu.bytes} bytes`} ${kv.format}`;
}

interface Models {
  resident: LoadedModel;
  variants: Variant[];
  readback: Readback;
  tokenizer: DocumentOptions['tokenizer'];
  style: DocumentOptions['style'];
  free(): void;
}

/**
 * The model with everything on the GPU, and with its far keys beyond it. Page bounds, which only `quest` needs, would
 * take from the budget of the others, so `quest` gets a model of its own.
 */
async function openModels(device: Device, request: EvalRequest, { contextTokens, copies }: { contextTokens: number; copies: SharedCopies | null }, { signal, onNote }: EvaluateHooks): Promise<Models> {
  const choices = new ChoiceFile(request.cacheFolder, device.facts, request);
  const source = await openModelSource(request.modelPath);
  const common = { contextTokens, kvBudgetBytes: Infinity, choices, signal };
  const spills: SpillFolder[] = [];
  const opened: LoadedModel[] = [];
  const threads = new WorkerThreads();
  const readback = new Readback(device);
  const free = (): void => {
    for (const model of opened) model.free();
    void threads.close();
    for (const spill of spills) spill.removeAll();
    readback.free();
  };
  try {
    const resident = await loadModel(device, source, common);
    opened.push(resident);
    const farBytes = halfBytes(resident.spec, contextTokens);
    const variants: Variant[] = [];
    // What reading alone loses, before any policy.
    for (const sparseReading of request.sparseReadings.filter((one) => one !== null)) {
      const model = await loadModel(device, source, { ...common, sparseReading });
      opened.push(model);
      variants.push({ model, policies: [{ label: labelOf(residentPolicy, sparseReading), policy: { name: 'full', budget: { share: 1 }, estimate: false }, seeds: Number.MAX_SAFE_INTEGER }] });
    }
    const ways = request.sparseReadings.flatMap((sparseReading) => [false, true].map((pages) => ({ sparseReading, pages })));
    for (const { sparseReading, pages } of ways) {
      const policies = request.policies.filter(({ policy }) => pages === (policy.name === 'quest')).map((one) => ({ ...one, label: labelOf(one.label, sparseReading) }));
      if (policies.length === 0) continue;
      const largestShare = Math.max(...policies.map(({ policy }) => shareOf(policy, contextTokens)));
      const spill = new SpillFolder(request.cacheFolder);
      spills.push(spill);
      const gpuBudgetBytes = bytesOf(request.kv.gpu, farBytes);
      const ramBudgetBytes = bytesOf(request.kv.ram, farBytes);
      const model = await loadModel(device, source, { ...common, sparseReading, tiers: { gpuBudgetBytes, ramBudgetBytes, format: request.kv.format, disk: spill, copies, offload: 'always', pages, mayLackSketch: policies.every(({ policy }) => policy.name !== 'sketch'), graphs: policies.some(({ policy }) => policy.name === 'graph') ? { pool: threads } : null, largestShare } });
      opened.push(model);
      variants.push({ model, policies });
      const plan = model.runner.far?.plan;
      if (plan) onNote(`${contextTokens} tokens of context: ${plan.bytes.total} of ${farBytes} bytes on the GPU (index ${plan.bytes.index}, ${plan.layout.planes} planes), at most ${ramBudgetBytes} in RAM, the rest on disk`);
    }
    const tokenizer = createTokenizer(resident.file.metadata);
    return { resident, variants, readback, tokenizer, style: choosePromptStyle(resident.file.metadata, tokenizer), free };
  } catch (error) {
    free();
    throw error;
  } finally {
    await source.close();
  }
}

/** Of the keys and values of all layers that see everything, in f16. */
function halfBytes(spec: ModelSpec, tokens: number): number {
  return spec.blocks.reduce((sum, { mixer }) => sum + (mixer.kind === 'full' ? 4 * tokens * mixer.kvHeads * mixer.headDim : 0), 0);
}

/** Of the far tokens that a step chooses. */
function shareOf({ name, budget }: Policy, contextTokens: number): number {
  if (name === 'full' || name === 'window') return 0;
  return Math.min(1, 'share' in budget ? budget.share : budget.tokens / contextTokens);
}

function bytesOf(amount: KvAmount, wholeBytes: number): number {
  return Math.floor('bytes' in amount ? amount.bytes : amount.share * wholeBytes);
}
