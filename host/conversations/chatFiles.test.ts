import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Host } from '../host.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHost } from '../testing/openTestHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';

const answered = { state: 'complete' as const, failure: null, statistics: null, modelName: 'Tiny', createdAtMs: 5 };

/** A chat with alternatives, an event, a document, in a folder. */
async function richChat(host: Host): Promise<string> {
  const { id: documentId } = await host.documents.addText('Book.txt', 'Call me Ishmael.');
  const folderId = host.folders.create('Whales').id;
  const { id } = host.conversations.create({ title: 'Ahab: “why?”', documentIds: [documentId], folderId, pinned: true }, { systemPrompt: 'Be brief.', sampling: host.settings.read().defaultSampling });
  host.messages.putAll(
    id,
    [
      { ...answered, id: 'q1', parentId: null, role: 'user', text: 'Who?', modelName: null },
      { ...answered, id: 'a1', parentId: 'q1', role: 'assistant', text: '<think>Hm.</think>Ishmael.' },
      { ...answered, id: 'a2', parentId: 'q1', role: 'assistant', text: 'Queequeg.', state: 'failed', failure: { code: 'worker-died', message: 'It stopped.', remedy: 'Try again.' } },
      { ...answered, id: 'q2', parentId: 'a1', role: 'user', text: 'And *whom*?', modelName: null },
    ],
    'a1',
  );
  host.conversationEvents.add(id, 'a1', { kind: 'offloaded', residentTokens: 10, offloadedTokens: 20 });
  return id;
}

const exported = (host: Host, id: string) => {
  const { text } = host.handlers['conversations.export']({ conversationIds: [id], format: 'json' }) as { text: string };
  return { text, chats: (JSON.parse(text) as { conversations: { id: string }[] }).conversations };
};

async function importText(host: Host, text: string) {
  const path = join(temporaryFolder(), 'chats.json');
  writeFileSync(path, text);
  return host.handlers['conversations.import']({ fileId: await host.files.registerPath(path) });
}

test('what was exported comes back the same, and a second time as a copy', async () => {
  const host = await openTestHost();
  const id = await richChat(host);
  const { text, chats } = exported(host, id);
  await host.handlers['conversations.remove']({ conversationId: id });
  expect(await importText(host, text)).toEqual({ conversationIds: [id], missingDocuments: [], failure: null });
  expect(exported(host, id).chats).toEqual(chats);

  const { conversationIds } = await importText(host, text);
  const [copyId = ''] = conversationIds;
  expect(copyId).not.toBe(id);
  expect(exported(host, id).chats).toEqual(chats);
  expect(host.chat.messages(copyId).map((message) => message.text)).toEqual(['Who?', '<think>Hm.</think>Ishmael.']);
  expect(host.conversationEvents.list(copyId)).toMatchObject([{ afterMessageId: host.chat.messages(copyId)[1]?.id }]);
});

test('elsewhere, documents that are not there are named', async () => {
  const host = await openTestHost();
  const { text } = exported(host, await richChat(host));
  const other = await openTestHost();
  const { conversationIds, missingDocuments } = await importText(other, text);
  expect(missingDocuments).toEqual(['Book.txt']);
  expect(other.conversations.get(conversationIds[0] ?? '')).toMatchObject({ title: 'Ahab: “why?”', documentIds: [], systemPrompt: 'Be brief.', pinned: true });
  expect(other.folders.list().map(({ name }) => name)).toEqual(['Whales']);
});

test('a file that is not whole changes nothing', async () => {
  const host = await openTestHost();
  const { text } = exported(host, await richChat(host));
  const file = JSON.parse(text) as { conversations: { id: string; messages: { role: string }[] }[] };
  const [first] = file.conversations;
  const broken = { ...first, id: 'other', messages: [{ ...first?.messages[0], role: 'robot' }] };
  for (const wrong of ['{', '[]', JSON.stringify({ ...file, conversations: [{ ...first, id: 'fresh' }, broken] })]) {
    expect((await failureOf(() => importText(host, wrong))).code).toBe('import-invalid');
  }
  expect(host.conversations.ids()).toHaveLength(1);
});

test('as Markdown a chat reads by itself', async () => {
  const host = await openTestHost();
  const { fileName, text } = host.handlers['conversations.export']({ conversationIds: [await richChat(host)], format: 'markdown' }) as { fileName: string; text: string };
  expect(fileName).toBe('Ahab why.md');
  expect(text).toBe(
    '# Ahab: “why?”\n\n- Book.txt\n\n> Be brief.\n\n## Question (1970-01-01 00:00 UTC)\n\nWho?\n\n## Tiny (1970-01-01 00:00 UTC)\n\n> Hm.\n\nIshmael.\n\n*From here on, 20 tokens of keys and values lie beyond the GPU.*\n',
  );
});

test('a chat of 3,000 messages in a row can be removed', async () => {
  const host = await openTestHost();
  const { id } = host.conversations.create({}, { systemPrompt: '', sampling: host.settings.read().defaultSampling });
  const messages = Array.from({ length: 3000 }, (_, index) => ({ ...answered, id: `m${index}`, parentId: index === 0 ? null : `m${index - 1}`, role: index % 2 === 0 ? ('user' as const) : ('assistant' as const), text: 'words' }));
  host.database.transaction(() => host.messages.putAll(id, messages, 'm2999'));
  expect(host.chat.messages(id)).toHaveLength(3000);
  await host.handlers['conversations.remove']({ conversationId: id });
  expect((await host.search.query('words', 5)).messages).toEqual([]);
});

test('presets go to a file and come back once', async () => {
  const host = await openTestHost();
  const { handlers, presets } = host;
  handlers['presets.save']({ name: 'Strict', systemPrompt: 'Quote.', sampling: null });
  handlers['presets.save']({ name: 'Wild', systemPrompt: '', sampling: { ...host.settings.read().defaultSampling, temperature: 1.5 } });
  const { text } = presets.exported();
  const path = join(temporaryFolder(), 'presets.json');
  writeFileSync(path, text);
  const other = await openTestHost();
  for (const target of [other, host, other]) await target.handlers['presets.import']({ fileId: await target.files.registerPath(path) });
  expect(presets.list()).toHaveLength(2);
  expect(other.presets.exported().text).toBe(readFileSync(path, 'utf8'));
});

test('a page of chats goes on where the one before ended; folders and pins have their places', async () => {
  const host = await openTestHost();
  const folderId = host.folders.create('F').id;
  const sampling = host.settings.read().defaultSampling;
  const put = (id: string, updatedAtMs: number, more = {}) =>
    host.conversations.put({ id, title: id, titleIsAutomatic: false, createdAtMs: 1, updatedAtMs, modelId: null, documentIds: [], systemPrompt: '', sampling, policy: null, folderId: null, pinned: false, ...more });
  // Of one moment, as an import may have them.
  for (let index = 0; index < 7; index += 1) put(`c${index}`, index < 4 ? 1 : 2);
  put('pinned', 0, { pinned: true, folderId });
  put('filed', 9, { folderId });
  const seen: string[] = [];
  let before: { updatedAtMs: number; id: string } | null = null;
  for (let more = true; more; ) {
    const page: ReturnType<typeof host.conversations.page> = host.conversations.page({ folderId: null, before, limit: 3 });
    seen.push(...page.conversations.map(({ id }) => id));
    before = page.conversations.at(-1) ?? null;
    more = page.more;
  }
  expect(seen).toEqual(['pinned', 'c6', 'c5', 'c4', 'c3', 'c2', 'c1', 'c0']);
  expect(host.conversations.page({ folderId, before: null, limit: 9 }).conversations.map(({ id }) => id)).toEqual(['filed']);
  host.handlers['folders.remove']({ folderId });
  expect(host.conversations.get('filed')).toMatchObject({ folderId: null, updatedAtMs: 9 });
});
