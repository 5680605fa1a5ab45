/** What answers each method of the contract. */
import { stat } from 'node:fs/promises';
import type * as z from 'zod';
import type { DocumentRecord } from './contract/entities.ts';
import { createChatHandlers } from './conversations/handlers.ts';
import type { MethodName, MethodResult, Methods } from './contract/methods.ts';
import type { Host } from './host.ts';
import { promptMeasure } from './gpu-worker/protocol.ts';
import { writeReport } from './diagnostics/report.ts';
import { documentHandlers } from './documents/documentHandlers.ts';
import { checkDocumentsCap } from './documents/documentsCap.ts';
import { readProxy } from './downloads/proxy.ts';
import { guideExample } from './inspector/guideExample.ts';
import { appVersion } from './locations.ts';
import { reportMachine } from './machineReport.ts';
import { ownerName } from './memories/owners.ts';
import { createModelHandlers } from './models/handlers.ts';
import { stillHandlers } from './moving/stillHandlers.ts';
import { readLicences } from './licences.ts';
import { markBackupsOutdated } from './storage/backups.ts';
import { modelTarget } from './models/modelTarget.ts';

const shownLogLines = 300;

export type Handlers = {
  [M in MethodName]: (params: z.output<Methods[M]['params']>) => MethodResult<M> | Promise<MethodResult<M>>;
};

export function createHandlers(host: Host): Handlers {
  const { events, settings, supervisor, session, files, documents, memories, models, downloads, conversations, chat, readings, inspector, sweeps, api } = host;

  const changedConversations = (ids: readonly string[]) => {
    for (const id of ids) events.emit('conversation.changed', conversations.get(id));
  };

  /** Before their owners are gone: when this fails, the person can try again. */
  const forget = async (owners: readonly string[]) => {
    await memories.forget(owners);
    events.emit('memories.changed', {});
  };

  const withinCap = (bytes: number) => checkDocumentsCap(host.folder.documents, settings.read().caps.documentsBytes, bytes);

  /** A document that was added enters the search in the background. */
  const indexed = (document: DocumentRecord) => {
    void host.documentIndex.catchUp();
    return document;
  };

  return {
    'app.status': () => ({
      version: appVersion(),
      worker: supervisor.status,
      settings: settings.read(),
      firstRun: models.list().length === 0 && !conversations.any(),
    }),
    'app.machine': () => reportMachine(host.folder.root),
    'app.outbound': () =>
      host.outbound.list().map(({ at_ms: atMs, purpose, address, outcome }) => ({ atMs, purpose, address, outcome })),
    'app.log': () => host.log.read(shownLogLines),
    'app.diagnostics': async () => ({ text: await writeReport(host) }),
    'app.licences': () => readLicences(),
    'worker.restart': () => {
      supervisor.restart();
      return {};
    },
    'settings.update': (changes) => {
      // Said where it is written, not with the next download.
      if (changes.network?.proxy) readProxy(changes.network.proxy);
      const updated = settings.update(changes);
      if (updated.offline) {
        downloads.pauseAll();
        host.client.goOffline();
      }
      void api.follow(updated.api);
      events.emit('settings.changed', updated);
      return updated;
    },

    'updates.configured': () => ({ configured: host.updates.configured }),
    'updates.check': () => host.updates.check(),
    'updates.fetch': () => host.updates.fetch(),

    'api.status': () => api.status,
    'api.regenerateKey': () => api.regenerateKey(),

    ...stillHandlers(host),

    ...createModelHandlers(host),

    'documents.list': () => documents.list(),
    'documents.add': async ({ fileId }) =>
      indexed(
        await files.use(fileId, async ({ path, name }) => {
          await withinCap((await stat(path)).size);
          return documents.addFile(path, name);
        }),
      ),
    'documents.addText': async ({ name, text }) => {
      await withinCap(Buffer.byteLength(text));
      return indexed(await documents.addText(name, text));
    },
    ...documentHandlers(host),
    'documents.text': ({ documentId, start, end }) => documents.text(documentId, start, end),
    'documents.countTokens': async ({ documentId, modelId }) => {
      const known = documents.knownTokens(documentId, modelId);
      if (known !== undefined) return { tokens: known };
      const { name } = documents.get(documentId);
      const model = models.get(modelId);
      const target = modelTarget(models, model, settings.read().kv, null);
      const prompt = {
        kind: 'chat' as const,
        documents: [{ id: documentId, name, textPath: documents.textPath(documentId) }],
        system: '',
        history: [],
        question: '?',
      };
      const measure = await session.use(target, {}, () => supervisor.run({ kind: 'measure', prompt }, promptMeasure));
      const tokens = measure.documents[0]?.tokens ?? 0;
      documents.rememberTokens(documentId, modelId, tokens);
      return { tokens };
    },
    'documents.remove': async ({ documentId }) => {
      documents.get(documentId);
      const affected = conversations.withDocument(documentId);
      await readings.forget((reading) => reading.documentId === documentId);
      // Chats that go on from the document have read it, too.
      await forget([ownerName('document', documentId), ownerName('reading', documentId), ...affected.map((id) => ownerName('conversation', id))]);
      await documents.remove(documentId);
      markBackupsOutdated(host.folder.backups);
      changedConversations(affected);
      return {};
    },

    'memories.list': () => memories.list(),
    'memories.remove': async ({ memoryId }) => {
      const { bytes } = await memories.remove(memoryId);
      events.emit('memories.changed', {});
      return { freedBytes: bytes };
    },
    'memories.quota': ({ quotaBytes }) => memories.quota(quotaBytes),

    'readings.list': () => readings.list(),
    'readings.start': ({ documentId, modelId }) => readings.start(documentId, modelId),
    'readings.pause': ({ readingId }) => readings.pause(readingId),
    'readings.cancel': async ({ readingId }) => {
      await readings.cancel(readingId);
      return {};
    },

    ...createChatHandlers(host),

    'chat.meter': ({ conversationId, draft }) => chat.meter(conversationId, draft),
    'chat.send': ({ conversationId, text, onlyRead }) => chat.send(conversationId, text, { onlyRead }),
    'chat.stop': async ({ conversationId }) => {
      host.pastWindow.stop(conversationId);
      await chat.stop(conversationId);
      return {};
    },
    'chat.regenerate': ({ messageId }) => chat.regenerate(messageId),
    'chat.edit': ({ messageId, text }) => chat.edit(messageId, text),
    'sweeps.list': () => sweeps.list(),
    'sweeps.start': (asked) => sweeps.start(asked),
    'sweeps.pause': ({ sweepId }) => sweeps.pause(sweepId),
    'sweeps.resume': ({ sweepId }) => sweeps.resume(sweepId),
    'sweeps.remove': async ({ sweepId }) => {
      await sweeps.remove(sweepId);
      return {};
    },
    'inspector.live': ({ messageId }) => inspector.live(messageId),
    'inspector.evidence': ({ messageId }) => inspector.evidence(messageId),
    'inspector.tile': (request) => inspector.tile(request),
    'inspector.triangle': (request) => inspector.triangle(request),
    'inspector.profile': (request) => inspector.profile(request),
    'inspector.retrieval': ({ messageId }) => inspector.retrieval(messageId),
    'inspector.example': () => guideExample(host),
    'inspector.cancel': ({ messageId }) => {
      inspector.cancel(messageId);
      return {};
    },
    'inspector.ablate': ({ messageId, ...passage }) => inspector.ablate(messageId, passage),

    'chat.message': ({ messageId }) => host.messages.get(messageId),
    'chat.select': ({ messageId }) => chat.select(messageId),
  };
}
