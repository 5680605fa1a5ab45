/**
 * The things the host and the interface talk about. Every schema is validated on both sides; a field
 * with a unit carries it in its name.
 */
import { z } from 'zod';
import { documentFormat, pageUnit } from './documentModel.ts';
import { kvBudgets, policyName, policySetting } from './policy.ts';

export const identifier = z.string().min(1).max(64).regex(/^[A-Za-z0-9_-]+$/);
const count = z.number().int().nonnegative();
const timestampMs = z.number().int().nonnegative();

/** A failure as the person sees it: what and why (`message`), what to do (`remedy`). */
export const failure = z.object({
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
});
export type Failure = z.infer<typeof failure>;

export const gpuMemory = z.object({
  weightsBytes: count,
  kvBytes: count,
  activationsBytes: count,
  stagingBytes: count,
  totalBytes: count,
});
export type GpuMemory = z.infer<typeof gpuMemory>;

export const adapterReport = z.object({
  /** Everything the driver says of itself. */
  name: z.string(),
  /** As people call it: “NVIDIA H100”, “llvmpipe (software)”. */
  shortName: z.string(),
  vendor: z.string(),
  architecture: z.string(),
  driver: z.string(),
  /** `software` adapters run on the CPU. */
  kind: z.enum(['gpu', 'software']),
  features: z.array(z.string()),
  limits: z.record(z.string(), z.number()),
  /** How to get more speed on this machine, when there is a way. */
  advice: z.string().nullable(),
});
export type AdapterReport = z.infer<typeof adapterReport>;

/** The GPU worker as the host sees it. */
export const workerStatus = z.object({
  state: z.enum(['starting', 'ready', 'restarting', 'failed', 'stopped']),
  adapter: adapterReport.nullable(),
  memory: gpuMemory.nullable(),
  loadedModelId: z.string().nullable(),
  /** The model that is being loaded now, for whatever reason, and how far. */
  loading: z.object({ modelId: z.string(), doneBytes: count, totalBytes: count }).nullable(),
  failure: failure.nullable(),
});
export type WorkerStatus = z.infer<typeof workerStatus>;

export const machineReport = z.object({
  platform: z.string(),
  cpuModel: z.string(),
  cpuCores: count,
  memoryBytes: count,
  freeMemoryBytes: count,
  dataFolder: z.string(),
  diskFreeBytes: count,
  versions: z.record(z.string(), z.string()),
});
export type MachineReport = z.infer<typeof machineReport>;

export const licence = z.object({ name: z.string(), url: z.string() });

export const modelRecord = z.object({
  id: identifier,
  name: z.string(),
  fileName: z.string(),
  architecture: z.string(),
  /** The commonest weight type of the file, as people name it: "Q4_1". */
  quantisation: z.string(),
  parameters: count,
  sizeBytes: count,
  sha256: z.string().nullable(),
  /** Longest context the model was trained for. */
  contextTokens: count,
  /** False for a base model without a chat template. */
  chat: z.boolean(),
  licence: licence.nullable(),
  /** `missing`: the file is not where it was. */
  state: z.enum(['ready', 'missing']),
  /** Folder of a file that is elsewhere than in the data folder; null: there. */
  place: z.string().nullable().default(null),
  /** False for a file that is used where it is: removing the model leaves it there. */
  owned: z.boolean().default(true),
  addedAtMs: timestampMs,
});
export type ModelRecord = z.infer<typeof modelRecord>;

export const catalogueSource = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hub'), repository: z.string(), revision: z.string(), path: z.string() }),
  /** Parts of the file inside Python wheels, concatenated in order. */
  z.object({
    kind: z.literal('wheel'),
    parts: z.array(z.object({ package: z.string(), version: z.string(), member: z.string() })).min(1),
  }),
]);
export const catalogueEntry = z.object({
  id: identifier,
  name: z.string(),
  description: z.string(),
  fileName: z.string(),
  sizeBytes: count,
  sha256: z.string(),
  contextTokens: count,
  licence,
  /** Offered on first run. */
  starter: z.boolean(),
  /** What tells whether it suits a machine: packed weights, keys and values of a token in f16, and what does not grow with the window. */
  facts: z.object({ parameters: count, chat: z.boolean(), weightsBytes: count, kvBytesPerToken: count, fixedBytes: count }),
  sources: z.array(catalogueSource).min(1),
});
export type CatalogueEntry = z.infer<typeof catalogueEntry>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** One file to fetch; a model that was split has several. */
export const downloadFile = z.object({ fileName: z.string().min(1).max(255), sizeBytes: count, sha256, sources: z.array(catalogueSource).min(1) });
export type DownloadFile = z.infer<typeof downloadFile>;

/** A model to fetch: from the catalogue, or chosen at the hub. */
export const downloadTarget = z.object({
  id: identifier,
  catalogueId: identifier.nullable(),
  name: z.string(),
  licence: licence.nullable(),
  files: z.array(downloadFile).min(1),
});
export type DownloadTarget = z.infer<typeof downloadTarget>;

export const download = z.object({
  id: identifier,
  catalogueId: identifier.nullable(),
  /** Of the first file: what it is, wherever it comes from. */
  sha256,
  name: z.string(),
  /** `waiting`: it goes on by itself. `paused` and `failed`: what was fetched is kept, and it goes on when asked to. */
  state: z.enum(['starting', 'downloading', 'waiting', 'verifying', 'paused', 'done', 'failed', 'cancelled']),
  /** Why it waits, and until when. */
  waiting: z.object({ reason: z.string(), untilMs: timestampMs }).nullable(),
  source: z.string(),
  doneBytes: count,
  totalBytes: count,
  bytesPerSecond: z.number().nonnegative(),
  modelId: identifier.nullable(),
  failure: failure.nullable(),
});
export type Download = z.infer<typeof download>;

export const documentRecord = z.object({
  id: identifier,
  name: z.string(),
  format: documentFormat,
  /** What its pages are, and how many there are; 0 for a document of an earlier version until it is opened. */
  unit: pageUnit,
  pages: count,
  /** Of the text. */
  sizeBytes: count,
  /** On disk: text, structure and, for a PDF, the file itself. */
  keptBytes: count,
  characters: count,
  sha256: z.string(),
  /** What a person should know about the extraction, e.g. replaced characters. */
  notices: z.array(z.string()),
  addedAtMs: timestampMs,
});
export type DocumentRecord = z.infer<typeof documentRecord>;

/** What was read, kept on disk: one path of segments that someone holds. */
export const memoryRecord = z.object({
  id: identifier,
  /** Documents and chats that hold it; `name` null when it is no longer known. */
  users: z.array(z.object({ kind: z.enum(['document', 'conversation', 'reading']), id: z.string(), name: z.string().nullable() })),
  modelName: z.string().nullable(),
  tokens: count,
  /** With what it shares with other memories. */
  bytes: count,
  /** What deleting it frees: what it shares stays. */
  freedBytes: count,
  createdAtMs: timestampMs,
  lastUsedAtMs: timestampMs,
  /** `reading`: not to its end yet. `damaged`: parts of it will have to be read again. */
  state: z.enum(['ready', 'reading', 'damaged']),
});
export type MemoryRecord = z.infer<typeof memoryRecord>;

export const memoryUsage = z.object({
  usedBytes: count,
  /** The person's limit; null: what the disk has. */
  quotaBytes: count.nullable(),
  /** How much more can be kept, by the limit and by the disk. */
  freeBytes: count,
});
export type MemoryUsage = z.infer<typeof memoryUsage>;

/** The reading of one document by one model into a memory. */
export const reading = z.object({
  id: identifier,
  documentId: identifier,
  modelId: identifier,
  /** `paused` by the person or by a full disk (then with a failure); it goes on from where it was. */
  state: z.enum(['queued', 'loading', 'reading', 'paused', 'done', 'failed']),
  /** Tokens kept so far, those of earlier sessions included. */
  doneTokens: count,
  /** 0 before the tokens are counted. */
  totalTokens: count,
  tokensPerSecond: z.number().nonnegative().nullable(),
  secondsLeft: z.number().nonnegative().nullable(),
  failure: failure.nullable(),
});
export type Reading = z.infer<typeof reading>;

export const sampling = z.object({
  /** 0 is greedy. */
  temperature: z.number().min(0).max(5),
  topK: z.number().int().min(0).max(1000),
  topP: z.number().min(0).max(1),
  minP: z.number().min(0).max(1),
  repetitionPenalty: z.number().min(0.5).max(2),
  seed: z.number().int().min(0).max(0xffff_ffff).nullable(),
  maxTokens: z.number().int().min(1).max(32_768),
});
export type Sampling = z.infer<typeof sampling>;
export const defaultSampling: Sampling = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: null,
  maxTokens: 512,
};

/** What attention did with the keys while an answer was written, a mean over its steps, layers and KV heads. */
export const policyOutcome = z.object({
  name: policyName,
  /** Keys of the sequence at the end; the next four add up to it. */
  totalKeys: count,
  exactKeys: count,
  estimatedKeys: count,
  /** Chosen, but not on the GPU in time: part of the estimate where there is one. */
  missedKeys: count.default(0),
  droppedKeys: count,
  droppedBecause: z.string().nullable(),
  /** Of the keys chosen beyond the GPU, the share that was in the GPU's cache; null when none was chosen. */
  hitRatio: z.number().min(0).max(1).nullable(),
  /** Where keys and values lay at the end, and what was read from outside the GPU. */
  gpuBytes: count,
  ramBytes: count,
  diskBytes: count,
  ramReadBytes: count,
  diskReadBytes: count,
});
export type PolicyOutcome = z.infer<typeof policyOutcome>;

/** A document of which an answer knows only the beginning, because it had not been read to its end. */
export const partlyRead = z.object({ id: identifier, name: z.string(), readTokens: count, tokens: count });
export type PartlyRead = z.infer<typeof partlyRead>;

export const answerStatistics = z.object({
  modelName: z.string(),
  promptTokens: count,
  /** Prompt tokens that were already in the cache and did not have to be read again. */
  reusedTokens: count,
  /** Of those, tokens that came from a memory on disk. */
  keptTokens: count.default(0),
  /** Why what was read now is not kept, e.g. a full disk. */
  notKept: failure.nullable().default(null),
  /** Documents that were not read to their end when it was asked for an answer from what had been read. */
  partlyRead: z.array(partlyRead).default([]),
  /** null for answers of earlier versions. */
  policy: policyOutcome.nullable().default(null),
  answerTokens: count,
  readingMs: z.number(),
  answeringMs: z.number(),
  stopReason: z.enum(['end', 'length', 'stop-string', 'cancelled', 'context']),
});
export type AnswerStatistics = z.infer<typeof answerStatistics>;

export const message = z.object({
  id: identifier,
  conversationId: identifier,
  parentId: identifier.nullable(),
  role: z.enum(['user', 'assistant']),
  text: z.string(),
  /** `interrupted`: the app or the worker ended before the answer did. */
  state: z.enum(['complete', 'streaming', 'stopped', 'failed', 'interrupted']),
  failure: failure.nullable(),
  statistics: answerStatistics.nullable(),
  /** Which model was asked; null for a question. */
  modelName: z.string().nullable(),
  createdAtMs: timestampMs,
  /** Position among the alternatives that share a parent, from 0, and how many there are. */
  siblingIndex: count,
  siblingIds: z.array(identifier),
});
export type Message = z.infer<typeof message>;

export const conversation = z.object({
  id: identifier,
  title: z.string(),
  createdAtMs: timestampMs,
  updatedAtMs: timestampMs,
  modelId: identifier.nullable(),
  documentIds: z.array(identifier),
  systemPrompt: z.string(),
  sampling,
  /** How what lies beyond the GPU is attended to; null: the default. */
  policy: policySetting.nullable(),
  folderId: identifier.nullable(),
  /** Stands above the others. */
  pinned: z.boolean(),
});
export type Conversation = z.infer<typeof conversation>;

/** Where a prompt's keys lie and how a step attends to them; resident and offloaded add up to the prompt. */
export const contextTiers = z.object({
  policy: policyName,
  residentTokens: count,
  /** In RAM and on disk; the last three add up to it. */
  offloadedTokens: count,
  /** Attended exactly in a step, represented by clusters, not seen at all. */
  chosenTokens: count,
  estimatedTokens: count,
  droppedTokens: count,
  droppedBecause: z.string().nullable(),
});
export type ContextTiers = z.infer<typeof contextTiers>;

/** Where an answer is; the renderer shows each phase with its progress. */
export const answerProgress = z.object({
  conversationId: identifier,
  messageId: identifier,
  phase: z.enum(['queued', 'loading', 'reading', 'answering']),
  /** Bytes while loading, tokens while reading and answering. */
  done: count,
  total: count,
  perSecond: z.number().nonnegative(),
  secondsLeft: z.number().nonnegative().nullable(),
  /** Known from the moment the prompt was measured. */
  tiers: contextTiers.nullable(),
});
export type AnswerProgress = z.infer<typeof answerProgress>;

/** Tokens of the next prompt by part, counted by the model's own tokenizer. */
export const contextMeter = z.object({
  windowTokens: count,
  /** What of the window the model was trained on; beyond it positions are only stretched. */
  trainedTokens: count,
  headerTokens: count,
  systemTokens: count,
  documents: z.array(z.object({ documentId: identifier, name: z.string(), tokens: count })),
  historyTokens: count,
  questionTokens: count,
  answerReserveTokens: count,
  /** Negative when the prompt does not fit. */
  freeTokens: z.number().int(),
  /** Set when it does not fit: the sentence to show, with both numbers. */
  refusal: failure.nullable(),
  /** Tokens already in the cache from an earlier turn, or in a memory on disk; they will not be read again. */
  cachedTokens: count,
  tiers: contextTiers,
  /** Reading speed of this model on this machine so far, for an estimate of the wait. */
  readingTokensPerSecond: z.number().nonnegative().nullable(),
  /** What the model keeps on disk of each token it reads. */
  keptBytesPerToken: z.number().nonnegative(),
});
export type ContextMeter = z.infer<typeof contextMeter>;

export const settings = z.object({
  theme: z.enum(['system', 'light', 'dark', 'contrast']),
  defaultModelId: identifier.nullable(),
  defaultSampling: sampling,
  defaultSystemPrompt: z.string(),
  /** What chats with a model begin with in place of `defaultSampling`, by the model's id. */
  modelSampling: z.record(identifier, sampling),
  language: z.enum(['system', 'en', 'de', 'ja']),
  /** Cancels every outbound request. */
  offline: z.boolean(),
  /** How much memory keys and values may take. */
  kv: kvBudgets,
  /** Readings that were under way when Longleaf was closed go on by themselves at the next start. */
  continueReadings: z.boolean(),
  /** Looks into every answer about a document for what it rests on, once nobody waits. */
  evidence: z.boolean(),
  /** The OpenAI-compatible API on 127.0.0.1; port 0: any that is free. */
  api: z.object({ enabled: z.boolean(), port: z.number().int().min(0).max(65_535) }),
  network: z.object({
    /** http://host:port; null: what the environment says (HTTPS_PROXY). */
    proxy: z.string().max(300).nullable(),
    /** Downloads take no more than this; null: as fast as they come. */
    bytesPerSecond: z.number().int().min(1000).nullable(),
  }),
  /** The most that models and documents may take; null: as much as the disk has. Memories have a limit of their own. */
  caps: z.object({ modelsBytes: count.nullable(), documentsBytes: count.nullable() }),
  /** Keys of actions that the person chose, by the action's id; null: none. */
  shortcuts: z.record(z.string().max(64), z.string().max(40).nullable()),
});
export type Settings = z.infer<typeof settings>;
export const defaultSettings: Settings = {
  theme: 'system',
  defaultModelId: null,
  defaultSampling,
  defaultSystemPrompt: '',
  modelSampling: {},
  language: 'system',
  offline: false,
  kv: { gpuBytes: null, ramBytes: null, format: 'f16' },
  continueReadings: true,
  evidence: true,
  api: { enabled: false, port: 7718 },
  network: { proxy: null, bytesPerSecond: null },
  caps: { modelsBytes: null, documentsBytes: null },
  shortcuts: {},
};

export const apiStatus = z.object({
  state: z.enum(['off', 'running', 'failed']),
  /** What clients take as their base URL. */
  address: z.string().nullable(),
  key: z.string(),
  failure: failure.nullable(),
});
export type ApiStatus = z.infer<typeof apiStatus>;
