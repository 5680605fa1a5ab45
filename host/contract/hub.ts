/** The hub as the interface sees it: repositories, their files, and what a file would take of this machine. */
import * as z from 'zod';
import { failure, identifier, layerGroup, licence } from './entities.ts';

const count = z.number().int().nonnegative();
/** owner/name */
export const repositoryId = z.string().max(200).regex(/^[\w.-]+\/[\w.-]+$/);

export const hubRepository = z.object({
  id: repositoryId,
  downloads: count,
  likes: count,
  /** ISO 8601. */
  lastModified: z.string().nullable(),
  licence: licence.nullable(),
  /** Its files are there only for those who accepted its terms. */
  gated: z.boolean(),
  /** What its GGUF files say of themselves; null where the hub does not know. */
  architecture: z.string().nullable(),
  contextTokens: count.nullable(),
  parameters: count.nullable(),
  /** Whether the engine knows the architecture; null: not known before a header is read. */
  runs: z.boolean().nullable(),
});
export type HubRepository = z.infer<typeof hubRepository>;

export const hubFilters = z.object({
  /** As the hub names it: “apache-2.0”. */
  licence: z.string().max(60).nullable(),
  /** An architecture: “qwen3”. */
  family: z.string().max(60).nullable(),
  mostParameters: count.nullable(),
  leastContextTokens: count.nullable(),
  /** Only what the engine can run, as far as that is known. */
  onlyRunnable: z.boolean(),
});
export type HubFilters = z.infer<typeof hubFilters>;
export const noFilters: HubFilters = { licence: null, family: null, mostParameters: null, leastContextTokens: null, onlyRunnable: false };

export const hubModelFile = z.object({
  /** In the repository; of a split model, its first part. */
  path: z.string(),
  /** What tells it from the others: “Q4_K_M”, or its name. */
  label: z.string(),
  sizeBytes: count,
  parts: z.array(z.object({ path: z.string(), sizeBytes: count, sha256: z.string() })).min(1),
});
export type HubModelFile = z.infer<typeof hubModelFile>;

export const hubContents = z.object({ repository: hubRepository, commit: z.string(), files: z.array(hubModelFile), page: z.string() });
export type HubContents = z.infer<typeof hubContents>;

/** What is wanted of one kind of memory, and what there is; null: this cannot be known. */
const share = z.object({ neededBytes: count, availableBytes: count.nullable() });

export const verdict = z.object({
  /** `offloads`: it runs, with keys and values beyond the GPU. `unsupported`: the engine does not know it. */
  level: z.enum(['fits', 'offloads', 'too-large', 'unsupported']),
  reason: z.string(),
  architecture: z.string().nullable(),
  quantisation: z.string().nullable(),
  parameters: count.nullable(),
  /** The window that was judged, and the longest that the file declares. */
  contextTokens: count,
  longestContextTokens: count,
  weightsBytes: count,
  kv: z.object({ gpuBytes: count, ramBytes: count, diskBytes: count }),
  workingBytes: count,
  /** How far back its layers see. */
  layers: z.array(layerGroup),
  gpu: share,
  ram: share,
  disk: share,
  downloadBytes: count,
  /** Read of the file to know this. */
  headerBytes: count,
});
export type Verdict = z.infer<typeof verdict>;

/** Where a token is kept: by the operating system, in a file that only its owner can read, or given by HF_TOKEN. */
export const tokenStatus = z.object({ kept: z.enum(['system', 'file', 'environment']).nullable() });
export type TokenStatus = z.infer<typeof tokenStatus>;

export const modelFolder = z.object({
  /** null: the data folder's own. */
  id: identifier.nullable(),
  path: z.string(),
  modelBytes: count,
  freeBytes: count,
  /** Downloads go here. */
  receives: z.boolean(),
  state: z.enum(['ready', 'missing']),
});
export type ModelFolder = z.infer<typeof modelFolder>;

export const folderImport = z.object({ added: z.array(identifier), failed: z.array(z.object({ name: z.string(), failure })) });
export type FolderImport = z.infer<typeof folderImport>;

/** All bytes that Longleaf keeps. `capBytes`: the person's limit; null: none. */
export const storageUsage = z.object({
  models: z.object({ bytes: count, capBytes: count.nullable() }),
  /** Files that are used where they are: not Longleaf's to delete. */
  linkedModels: z.object({ bytes: count }),
  downloads: z.object({ bytes: count }),
  memories: z.object({ bytes: count, capBytes: count.nullable() }),
  documents: z.object({ bytes: count, capBytes: count.nullable() }),
  chats: z.object({ bytes: count }),
  backups: z.object({ bytes: count }),
  dataFolder: z.string(),
  diskFreeBytes: count,
});
export type StorageUsage = z.infer<typeof storageUsage>;
