/** Calls and events about models: at hand, at the hub, on their way; and about the room that everything takes. */
import * as z from 'zod';
import { stepTimeline } from './machine.ts';
import { catalogueEntry, download, failure, identifier, modelRecord } from './entities.ts';
import { folderImport, hubContents, hubFilters, hubRepository, modelFolder, repositoryId, storageUsage, tokenStatus, verdict } from './hub.ts';

const nothing = z.object({}).strict();
/** A file the host already knows: picked in a native dialog, dropped, or uploaded. Never a path. */
const fileId = identifier;
/** `link`: used where it is. `copy`: a second one in the data folder. Left out: a hard link where that can be, else a copy. */
const how = z.enum(['link', 'copy']).optional();
const hubFile = { repository: repositoryId, revision: z.string().min(1).max(200), path: z.string().min(1).max(1000) };
const contextTokens = z.number().int().min(1).max(100_000_000).nullable();

export const modelMethods = {
  'models.list': { params: nothing, result: z.array(modelRecord) },
  'models.catalogue': { params: nothing, result: z.array(catalogueEntry) },
  'models.import': { params: z.object({ fileId, how }).strict(), result: modelRecord },
  /** A file or a folder by the path that a person typed, where windows may. A folder that is linked is looked through at each start. */
  'models.importPath': { params: z.object({ path: z.string().min(1).max(4096), how }).strict(), result: folderImport },
  'models.importFolder': { params: z.object({ fileId, how }).strict(), result: folderImport },
  'models.verify': {
    params: z.object({ modelId: identifier }).strict(),
    result: z.object({ ok: z.boolean(), sha256: z.string(), failure: failure.nullable() }),
  },
  'models.remove': { params: z.object({ modelId: identifier }).strict(), result: nothing },
  /** What a model that is here would take with this window; null: its whole context. */
  'models.verdict': { params: z.object({ modelId: identifier, contextTokens }).strict(), result: verdict },
  /** Where the time of a chunk and of a token goes; null on adapters without timestamps. Loads the model. */
  'models.timeline': { params: z.object({ modelId: identifier }).strict(), result: z.object({ steps: z.array(stepTimeline).nullable() }) },
  /** Ids of the catalogue, the best for this machine first. */
  'models.recommended': { params: nothing, result: z.array(z.object({ id: identifier, level: verdict.shape.level, reason: z.string() })) },

  'modelFolders.list': { params: nothing, result: z.array(modelFolder) },
  /** Uses the models in a folder where they are, and looks again at each start. */
  'modelFolders.add': { params: z.object({ fileId }).strict(), result: folderImport },
  /** Forgets it and the models in it; deletes nothing. */
  'modelFolders.remove': { params: z.object({ folderId: identifier }).strict(), result: nothing },
  'modelFolders.receive': { params: z.object({ folderId: identifier.nullable() }).strict(), result: z.array(modelFolder) },

  /** `query`: words, owner/name, or an address at the hub. */
  'hub.search': {
    params: z.object({ query: z.string().max(500), filters: hubFilters, cursor: z.string().max(4000).nullable() }).strict(),
    result: z.object({ repositories: z.array(hubRepository), cursor: z.string().nullable() }),
  },
  /** `reference`: owner/name or an address at the hub. */
  'hub.contents': { params: z.object({ reference: z.string().min(1).max(2000) }).strict(), result: hubContents },
  'hub.verdict': { params: z.object({ ...hubFile, contextTokens }).strict(), result: verdict },
  'hub.download': { params: z.object(hubFile).strict(), result: download },
  'hub.token': { params: nothing, result: tokenStatus },
  /** null forgets it. */
  'hub.setToken': { params: z.object({ token: z.string().min(1).max(500).nullable() }).strict(), result: tokenStatus },

  'downloads.list': { params: nothing, result: z.array(download) },
  'downloads.start': { params: z.object({ catalogueId: identifier }).strict(), result: download },
  /** Stops it and keeps what was fetched. */
  'downloads.pause': { params: z.object({ downloadId: identifier }).strict(), result: nothing },
  'downloads.resume': { params: z.object({ downloadId: identifier }).strict(), result: download },
  /** Stops it and deletes what was fetched. */
  'downloads.cancel': { params: z.object({ downloadId: identifier }).strict(), result: nothing },

  'storage.usage': { params: nothing, result: storageUsage },
} as const;

export const modelEvents = {
  'models.changed': z.array(modelRecord),
  'downloads.changed': download,
} as const;
