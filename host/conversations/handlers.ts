/** What answers the calls about conversations, folders, presets and the search. */
import type { Sampling } from '../contract/entities.ts';
import type { chatMethods } from '../contract/chatMethods.ts';
import type { Handlers } from '../handlers.ts';
import type { Host } from '../host.ts';
import { ownerName } from '../memories/owners.ts';
import { readJson } from '../presets/presetStore.ts';
import { markBackupsOutdated } from '../storage/backups.ts';
import { exportChats } from './exportChats.ts';
import { importChats } from './importChats.ts';

export function createChatHandlers(host: Host): Pick<Handlers, keyof typeof chatMethods> {
  const { events, settings, files, documents, memories, models, conversations, messages, chat, folders, conversationEvents, presets, search, pastWindow, database } = host;
  const stores = { conversations, messages, folders, conversationEvents, documents };

  /** What a chat with this model begins with; null: the default model. */
  const samplingFor = (modelId: string | null): Sampling => {
    const { modelSampling, defaultSampling, defaultModelId } = settings.read();
    const asked = modelId ?? models.list().find(({ id }) => id === defaultModelId)?.id ?? models.list().find(({ state }) => state === 'ready')?.id;
    return (asked !== undefined && modelSampling[asked]) || defaultSampling;
  };
  const changedFolders = () => events.emit('folders.changed', folders.list());
  const changedPresets = () => events.emit('presets.changed', presets.list());

  return {
    'conversations.list': (page) => conversations.page(page),
    'conversations.get': ({ conversationId }) => conversations.get(conversationId),
    'conversations.create': (changes) => {
      const created = conversations.create(changes, { systemPrompt: settings.read().defaultSystemPrompt, sampling: samplingFor(changes.modelId ?? null) });
      events.emit('conversation.changed', created);
      return created;
    },
    'conversations.update': ({ conversationId, ...changes }) => {
      const before = conversations.get(conversationId);
      // A sampling that nobody chose goes with the model.
      const follows = changes.modelId !== undefined && changes.sampling === undefined && same(before.sampling, samplingFor(before.modelId));
      const updated = conversations.update(conversationId, follows ? { ...changes, sampling: samplingFor(changes.modelId ?? null) } : changes);
      events.emit('conversation.changed', updated);
      return updated;
    },
    'conversations.remove': async ({ conversationId }) => {
      pastWindow.stop(conversationId);
      await chat.stop(conversationId);
      // Before their owner is gone: when this fails, the person can try again.
      await memories.forget([ownerName('conversation', conversationId)]);
      events.emit('memories.changed', {});
      conversations.remove(conversationId);
      markBackupsOutdated(host.folder.backups);
      events.emit('conversation.removed', { conversationId });
      return {};
    },
    'conversations.messages': ({ conversationId }) => chat.messages(conversationId),
    'conversations.events': ({ conversationId }) => {
      conversations.get(conversationId);
      return conversationEvents.list(conversationId);
    },
    'conversations.export': ({ conversationIds, format }) => exportChats(stores, conversationIds, format),
    'conversations.import': ({ fileId }) =>
      files.use(fileId, async ({ path, name }) => {
        const imported = importChats(database, stores, models, await readJson(path, name), name);
        changedFolders();
        events.emit('conversations.changed', {});
        return { ...imported, failure: null };
      }),

    'folders.list': () => folders.list(),
    'folders.create': ({ name }) => {
      const created = folders.create(name);
      changedFolders();
      return created;
    },
    'folders.rename': ({ folderId, name }) => {
      const renamed = folders.rename(folderId, name);
      changedFolders();
      return renamed;
    },
    'folders.remove': ({ folderId }) => {
      folders.remove(folderId);
      changedFolders();
      events.emit('conversations.changed', {});
      return {};
    },

    'presets.list': () => presets.list(),
    'presets.save': (preset) => {
      const saved = presets.save(preset);
      changedPresets();
      return saved;
    },
    'presets.remove': ({ presetId }) => {
      presets.remove(presetId);
      changedPresets();
      return {};
    },
    'presets.export': () => presets.exported(),
    'presets.import': ({ fileId }) =>
      files.use(fileId, async ({ path, name }) => {
        const all = await presets.importFile(path, name);
        changedPresets();
        return all;
      }),

    'search.query': ({ query, limit }) => search.query(query, limit),
    'chat.pastWindow': ({ conversationId, choice }) => pastWindow.choose(conversationId, choice),
  };
}

function same(a: Sampling, b: Sampling): boolean {
  return (Object.keys(a) as (keyof Sampling)[]).every((name) => a[name] === b[name]);
}
