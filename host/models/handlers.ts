/** What answers the calls about models, the hub, downloads and the room they take. */
import { readGguf } from '../../engine/formats/gguf/readGguf.ts';
import type { modelMethods } from '../contract/modelMethods.ts';
import type { Handlers } from '../handlers.ts';
import type { Host } from '../host.ts';
import { storageUsage } from '../storageUsage.ts';
import { pathsNotTaken, typedPath } from '../typedPath.ts';
import { timelineResult } from '../gpu-worker/protocol.ts';
import { importPath } from './importPath.ts';
import { missingFile } from './modelFileFailures.ts';
import { modelTarget } from './modelTarget.ts';
import { openModelSource } from './openModelSource.ts';
import { readMachine } from './machine.ts';
import { recommend } from './recommend.ts';
import { loadJudge } from './loadJudge.ts';

/** Enough that a chunk keeps a GPU busy, and a moment on a processor. */
const tracedPromptTokens = 512;

export function createModelHandlers(host: Host): Pick<Handlers, keyof typeof modelMethods> {
  const { events, files, models, modelFolders, downloads, hubModels, secrets, settings, session, supervisor, conversations, readings } = host;
  const changed = () => events.emit('models.changed', models.list());
  const machine = () => readMachine(supervisor, modelFolders.receiving());

  return {
    'models.list': () => models.list(),
    'models.catalogue': () => host.catalogue,
    'models.import': ({ fileId, how }) =>
      files.use(fileId, async ({ path, name, temporary }) => {
        const model = await models.importFile(path, name, temporary ? 'move' : (how ?? 'keep'));
        changed();
        return model;
      }),
    'models.importPath': async ({ path, how }) => {
      if (!host.takesPaths) throw pathsNotTaken();
      const result = await importPath(host, typedPath(path), how ?? 'keep');
      changed();
      return result;
    },
    'models.importFolder': ({ fileId, how }) =>
      files.use(fileId, async ({ path }) => {
        const result = await modelFolders.importFrom(path, how ?? 'keep');
        changed();
        return result;
      }),
    'models.verify': ({ modelId }) => models.verify(modelId),
    'models.remove': async ({ modelId }) => {
      const affected = conversations.withModel(modelId);
      await readings.forget((reading) => reading.modelId === modelId);
      await models.remove(modelId);
      changed();
      for (const id of affected) events.emit('conversation.changed', conversations.get(id));
      return {};
    },
    'models.verdict': async ({ modelId, contextTokens }) => {
      const model = models.get(modelId);
      if (model.state === 'missing') throw missingFile(model);
      const source = await openModelSource(models.path(modelId));
      try {
        const judge = await loadJudge();
        return judge({ file: await readGguf(source), downloadBytes: 0, headerBytes: 0 }, contextTokens, await machine(), settings.read().kv);
      } finally {
        await source.close();
      }
    },
    'models.timeline': async ({ modelId }) => {
      const target = modelTarget(models, models.get(modelId), settings.read().kv, null);
      return session.use(target, {}, () => supervisor.run({ kind: 'timeline', promptTokens: tracedPromptTokens }, timelineResult));
    },
    'models.recommended': async () => recommend(host.catalogue, await machine()),

    'modelFolders.list': () => modelFolders.list(),
    'modelFolders.add': ({ fileId }) =>
      files.use(fileId, async ({ path }) => {
        const result = await modelFolders.add(path);
        changed();
        return result;
      }),
    'modelFolders.remove': async ({ folderId }) => {
      await modelFolders.remove(folderId);
      changed();
      return {};
    },
    'modelFolders.receive': ({ folderId }) => {
      modelFolders.receive(folderId);
      return modelFolders.list();
    },

    'hub.search': ({ query, filters, cursor }) => hubModels.search(query, filters, cursor),
    'hub.contents': ({ reference }) => hubModels.contents(reference),
    'hub.verdict': ({ contextTokens, ...choice }) => hubModels.verdict(choice, contextTokens),
    // What is under way when this is answered goes on after a kill.
    'hub.download': async (choice) => downloads.noted((await hubModels.download(choice)).id),
    'hub.token': () => secrets.status(),
    'hub.setToken': ({ token }) => secrets.set(token),

    'downloads.list': () => downloads.list(),
    'downloads.start': ({ catalogueId }) => downloads.noted(downloads.start(catalogueId).id),
    'downloads.pause': async ({ downloadId }) => {
      await downloads.pause(downloadId);
      return {};
    },
    'downloads.resume': ({ downloadId }) => downloads.noted(downloads.resume(downloadId).id),
    'downloads.cancel': async ({ downloadId }) => {
      await downloads.cancel(downloadId);
      return {};
    },

    'storage.usage': () => storageUsage(host),
  };
}
