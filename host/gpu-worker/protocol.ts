/**
 * What the host and the GPU worker process say to each other, over Node's IPC channel. The worker
 * holds one model at a time; jobs carry an id so that they can be cancelled. Binary data never
 * travels here: the worker reads model files itself.
 */
import * as z from 'zod';
import { kvSetting, policySetting } from '../contract/policy.ts';
import { ablation, answerEvidence, profile, profileRequest, retrieval, tile, tileRequest, triangleRequest } from '../contract/inspection.ts';
import { adapterReport, answerStatistics, failure, gpuMemory, layerGroup, sampling, sparselyRead } from '../contract/entities.ts';
import { liveRows, liveView } from '../contract/liveAttention.ts';
import { stepTimeline } from '../contract/machine.ts';

const jobId = z.string().min(1).max(64);

/** A conversation as the worker needs it to build the prompt in its byte-stable order. */
export const chatPrompt = z.object({
  kind: z.literal('chat'),
  documents: z.array(z.object({ id: z.string(), name: z.string(), textPath: z.string() })),
  system: z.string(),
  history: z.array(z.object({ role: z.enum(['user', 'assistant']), text: z.string() })),
  question: z.string(),
  /** Documents end where they have been read to; see `readSoFar.ts`. */
  onlyRead: z.literal(true).optional(),
});
export type ChatPrompt = z.infer<typeof chatPrompt>;
export const prompt = z.discriminatedUnion('kind', [
  chatPrompt,
  /** Plain completion; no chat template. */
  z.object({ kind: z.literal('raw'), text: z.string() }),
  z.object({ kind: z.literal('tokens'), tokens: z.array(z.number().int().nonnegative()) }),
]);
export type Prompt = z.infer<typeof prompt>;

/** Where what is read is kept, and under whose name (`host/memories/owners.ts`). */
export const keeping = z.object({
  folder: z.string(),
  modelName: z.string(),
  /** Keeps what was said, too. */
  conversation: z.object({ id: z.string(), title: z.string() }).nullable(),
  /** Only uses what was kept before. */
  onlyUse: z.literal(true).optional(),
});
export type Keeping = z.infer<typeof keeping>;

/** Calls of the store of memories that this worker has open, for the host's `MemoryShelf`. */
export const memoryCall = z.discriminatedUnion('name', [
  z.object({ name: z.literal('list') }),
  z.object({ name: z.literal('remove'), owners: z.array(z.string()) }),
  z.object({ name: z.literal('removeLeaf'), leaf: z.string() }),
  z.object({ name: z.literal('sweep') }),
  z.object({ name: z.literal('usage') }),
  z.object({ name: z.literal('setQuota'), quotaBytes: z.number().int().nonnegative().nullable() }),
]);
export type MemoryCall = z.infer<typeof memoryCall>;

/** What to find out about an answer that was given. */
export const inspectionWish = z.discriminatedUnion('name', [
  z.object({ name: z.literal('evidence') }),
  tileRequest.pick({ heads: true, rows: true, keys: true }).extend({
    name: z.literal('tile'),
    /** Rows pass through the layers as decoding did, by this policy. */
    asDecoded: policySetting.optional(),
  }),
  /** Progress counts rows. */
  triangleRequest.omit({ messageId: true }).extend({ name: z.literal('triangle') }),
  profileRequest.omit({ messageId: true }).extend({ name: z.literal('profile') }),
  /** The answer's steps once more, by the policy that they were decoded with. */
  z.object({ name: z.literal('retrieval'), policy: policySetting.optional() }),
  /** Characters [start, end) of a document. */
  z.object({ name: z.literal('ablation'), documentId: z.string(), start: z.number().int().nonnegative(), end: z.number().int().nonnegative() }),
]);
export type InspectionWish = z.infer<typeof inspectionWish>;
export const inspectionResults = { evidence: answerEvidence, tile: tile.omit({ cached: true }), triangle: tile.omit({ cached: true }), profile, retrieval, ablation } as const;

export const logitsCase = z.object({
  name: z.string(),
  tokens: z.array(z.number().int().nonnegative()).min(1),
  positions: z.array(z.number().int().nonnegative()),
});

export const workerRequest = z.discriminatedUnion('kind', [
  /** `boundsChecks`: of every access in shaders (`host/models/boundsChecks.ts`). */
  z.object({ kind: z.literal('load'), jobId, path: z.string(), contextTokens: z.number().int().positive().nullable(), kv: kvSetting, boundsChecks: z.boolean() }),
  z.object({ kind: z.literal('unload'), jobId }),
  z.object({ kind: z.literal('tokens'), jobId, text: z.string() }),
  /** The tokens of a document that hold characters [start, end) of its text. */
  z.object({ kind: z.literal('token-range'), jobId, textPath: z.string(), start: z.number().int().nonnegative(), end: z.number().int().nonnegative() }),
  /** Exact token counts of a prompt, of a chat by part; also says how many are cached already, or kept (`keeping`). */
  z.object({ kind: z.literal('measure'), jobId, prompt, keeping: keeping.optional() }),
  z.object({
    kind: z.literal('generate'),
    jobId,
    prompt,
    sampling,
    stop: z.array(z.string()).max(16),
    /** Without one, the default. It matters only beyond the GPU. */
    policy: policySetting.optional(),
    /** Without it nothing is kept, and nothing that was kept is used. */
    keeping: keeping.optional(),
    /** Tells the log probability of every token of the answer, beside so many of the likeliest. */
    logprobs: z.number().int().min(0).max(20).optional(),
    /** Tells what every far layer did in every step; recall and mass are measured every so many steps (0: never). */
    trace: z.object({ measureEverySteps: z.number().int().nonnegative() }).optional(),
    /** Tells what a few heads attend to meanwhile, of chats with documents. */
    attention: z.literal(true).optional(),
  }),
  /** Reads a document into a memory; progress counts what is kept already as done. Its result: `readResult`. */
  z.object({ kind: z.literal('read'), jobId, document: chatPrompt.shape.documents.element, keeping }),
  /** Its result: what the method of `MemoryStore` resolves to. */
  z.object({ kind: z.literal('memories'), jobId, folder: z.string(), call: memoryCall }),
  /** Its result: see `inspectionResults`. */
  z.object({ kind: z.literal('inspect'), jobId, prompt: chatPrompt, answer: z.string(), keeping: keeping.optional(), wish: inspectionWish }),
  z.object({ kind: z.literal('logits'), jobId, case: logitsCase, chunkTokens: z.number().int().positive().nullable(), policy: policySetting.optional() }),
  z.object({ kind: z.literal('bench'), jobId, prefillTokens: z.number().int().positive(), decodeTokens: z.number().int().positive() }),
  /** How the loaded model came to the GPU, beside what bounds that. */
  z.object({ kind: z.literal('loading'), jobId }),
  /** Every kernel by itself, beside what the adapter reaches at best. */
  z.object({ kind: z.literal('profile'), jobId, promptTokens: z.number().int().positive() }),
  /** When each kernel of a chunk and of a token ran. Its result: `timelineResult`. */
  z.object({ kind: z.literal('timeline'), jobId, promptTokens: z.number().int().positive() }),
  z.object({ kind: z.literal('doctor'), jobId }),
  z.object({ kind: z.literal('cancel'), jobId }),
  z.object({ kind: z.literal('ping'), jobId }),
  z.object({ kind: z.literal('quit'), jobId }),
]);
export type WorkerRequest = z.infer<typeof workerRequest>;

/** What is known of a model once it is loaded. */
export const modelDescription = z.object({
  name: z.string(),
  architecture: z.string(),
  parameters: z.number(),
  layers: z.number().int(),
  /** How far back the layers see, and what they keep for that; those that see alike together. */
  layerKinds: z.array(layerGroup),
  vocabularySize: z.number().int(),
  trainedContextTokens: z.number().int(),
  contextTokens: z.number().int(),
  promptStyle: z.enum(['chat', 'completion']),
  /** The kernels that were chosen for this adapter, for `doctor`. */
  kernels: z.record(z.string(), z.string()),
  loadMs: z.number(),
});
export type ModelDescription = z.infer<typeof modelDescription>;

export const promptMeasure = z.object({
  headerTokens: z.number().int(),
  systemTokens: z.number().int(),
  documents: z.array(z.object({ id: z.string(), tokens: z.number().int() })),
  historyTokens: z.number().int(),
  questionTokens: z.number().int(),
  totalTokens: z.number().int(),
  cachedTokens: z.number().int(),
  windowTokens: z.number().int(),
  /** What of the window the model was trained on; beyond it positions are only stretched. */
  trainedTokens: z.number().int(),
  /** How far back the model's layers see. */
  layers: z.array(layerGroup),
  /** How many of the prompt's tokens will lie beyond the GPU; 0 when everything fits. */
  offloadedTokens: z.number().int(),
  /** Bytes on disk for each token that is kept. */
  keptBytesPerToken: z.number().nonnegative(),
});
export type PromptMeasure = z.infer<typeof promptMeasure>;

/** Tokens [start, end) of a document's `tokens`. */
export const tokenRangeResult = z.object({ start: z.number().int(), end: z.number().int(), tokens: z.number().int() });
export type TokenRange = z.infer<typeof tokenRangeResult>;

export const logitsResult = z.object({
  name: z.string(),
  positions: z.array(
    z.object({
      position: z.number().int(),
      top: z.array(z.number().int()),
      logits: z.array(z.number()),
      logSumExp: z.number(),
      next: z.number().nullable(),
    }),
  ),
  meanNll: z.number().nullable(),
});
export type LogitsResult = z.infer<typeof logitsResult>;

const keys = z.number().int().nonnegative();
/** What a layer did with keys beyond the GPU in one step (`engine/kv/tiers/farTrace.ts`). */
export const tracedLayer = z.object({
  step: z.number().int(),
  layer: z.number().int(),
  policy: z.string(),
  report: z.object({
    farKeys: keys,
    exactKeys: keys,
    estimatedKeys: keys,
    missedKeys: keys,
    droppedKeys: keys,
    chosenKeys: keys,
    hitKeys: keys,
    fetchedKeys: keys,
    ramReadBytes: keys,
    diskReadBytes: keys,
    waitMs: z.number(),
    fetchMs: z.number(),
  }),
  heads: z.array(z.object({ chosen: keys, hits: keys })),
  share: z.object({ mass: z.number(), recall: z.number(), headMass: z.array(z.number()), headRecall: z.array(z.number()) }).nullable(),
});
export type TracedLayer = z.infer<typeof tracedLayer>;

const spelledToken = z.object({
  /** A token that is part of a character has U+FFFD here. */
  text: z.string(),
  bytes: z.array(z.number().int()),
  /** In nats, before temperature and everything else that only changes how tokens are drawn. */
  logprob: z.number(),
});
export const answeredToken = spelledToken.extend({ top: z.array(spelledToken) });
export type AnsweredToken = z.infer<typeof answeredToken>;

export const workerReply = z.discriminatedUnion('kind', [
  /** Sent once, when the adapter is open. */
  z.object({ kind: z.literal('ready'), adapter: adapterReport }),
  z.object({ kind: z.literal('memory'), memory: gpuMemory }),
  z.object({
    kind: z.literal('progress'),
    jobId,
    phase: z.enum(['loading', 'reading', 'answering', 'measuring']),
    done: z.number(),
    total: z.number(),
  }),
  /** Whole characters only; `id` is the token that completed them. */
  z.object({ kind: z.literal('token'), jobId, id: z.number().int(), text: z.string(), logprobs: z.array(answeredToken).optional() }),
  z.object({ kind: z.literal('trace'), jobId, layers: z.array(tracedLayer) }),
  /** The view comes once, with the first. */
  z.object({ kind: z.literal('attention'), jobId, view: liveView.nullable(), rows: liveRows }),
  /** The job's result; its shape depends on the request. */
  z.object({ kind: z.literal('done'), jobId, value: z.unknown() }),
  z.object({ kind: z.literal('failed'), jobId, failure }),
  /** The device was lost and has been rebuilt; the model must be loaded again. */
  z.object({ kind: z.literal('device-lost'), failure }),
]);
export type WorkerReply = z.infer<typeof workerReply>;

export const generateResult = z.object({ text: z.string(), statistics: answerStatistics, policy: z.record(z.string(), z.unknown()) });
export type GenerateResult = z.infer<typeof generateResult>;

export const readResult = z.object({
  /** Of the memory: the prompt's header and the document. */
  tokens: z.number().int(),
  /** Of those, kept before this call. */
  keptTokens: z.number().int(),
  readingMs: z.number(),
  leaf: z.string(),
  sparselyRead: sparselyRead.nullable(),
});
export type ReadResult = z.infer<typeof readResult>;

export const benchResult = z.object({
  prefillTokens: z.number(),
  prefillTokensPerSecond: z.number(),
  decodeTokens: z.number(),
  decodeTokensPerSecond: z.number(),
  /** Of a token, a mean for each quarter of the answer: a GPU that has just read much may begin slower than it goes on. */
  quarterTokenMs: z.array(z.number()),
});
export type BenchResult = z.infer<typeof benchResult>;

/** Milliseconds of the steps of loading (`LoadTimes`), and the speed of the weights (`LoadSpeed`). */
export const loadingResult = z.object({
  headerMs: z.number(),
  kernelsMs: z.number(),
  weightsMs: z.number(),
  weightBytes: z.number(),
  runnerMs: z.number(),
  loadBytesPerSecond: z.number(),
  readBytesPerSecond: z.number(),
  uploadBytesPerSecond: z.number(),
  shareOfSlower: z.number(),
});
export type LoadingResult = z.infer<typeof loadingResult>;

const { phase, kernels: tracedKernels } = stepTimeline.shape;
export const profileResult = z.object({
  roofs: z.object({ copyGigabytesPerSecond: z.number(), multiplyAddGigaflops: z.number() }),
  phases: z.array(
    z.object({
      phase,
      step: z.object({ rows: z.number(), position: z.number() }),
      wholeStepMs: z.number(),
      kernels: z.array(
        z.object({
          phase,
          name: z.string(),
          ms: z.number(),
          gigaflops: z.number(),
          gigabytesPerSecond: z.number(),
          limit: z.enum(['arithmetic', 'memory']),
          roofShare: z.number(),
        }),
      ),
      timeline: tracedKernels.nullable(),
    }),
  ),
});
export type ProfileResult = z.infer<typeof profileResult>;

/** null on adapters without timestamps. */
export const timelineResult = z.object({ steps: z.array(stepTimeline).nullable() });
