/** Models: those at hand, those of the catalogue, and those on their way. */
import * as z from 'zod';
import { count, failure, identifier, timestampMs } from './primitives.ts';

/** How far back layers can see that see alike, and what they keep for that. */
export const layerGroup = z.object({
  kind: z.enum(['full', 'sliding', 'sparse', 'evicting', 'linear']),
  /** Of `linear` layers. */
  mechanism: z.string().nullable(),
  /** Numbers of the layers, from 0. */
  layers: z.array(z.number().int()),
  /** The latest tokens that such a layer is sure to see one by one; null: all of them. A state has them only as a blend. */
  reachTokens: count.nullable(),
  /** Tokens behind those that an `evicting` layer keeps, or a `sparse` one attends to one by one, at most. */
  budgetTokens: count.nullable(),
  /** Bytes that a layer keeps whatever the length of the sequence; null where they grow with it. */
  stateBytes: count.nullable(),
});
export type LayerGroup = z.infer<typeof layerGroup>;

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
