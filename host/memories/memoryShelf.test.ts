import { existsSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { memoryRecord } from '../contract/entities.ts';
import type { Host } from '../host.ts';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { fingerprint, partsFor } from '../testing/memoryParts.ts';
import { openTestHost, openTestHostWithModel } from '../testing/openTestHost.ts';
import { MemoryShelf } from './memoryShelf.ts';
import { MemoryStore } from './memoryStore.ts';
import { ownerName } from './owners.ts';

const book = Uint32Array.of(1, 2, 3);
const talk = Uint32Array.of(4, 5);

/** A document that was read, and a chat that went on from it, as a reading would leave them. */
async function hostWithMemories(): Promise<{ host: Host; documentId: string; conversationId: string; leaves: string[] }> {
  const host = await openTestHost();
  const { id: documentId } = await host.documents.addText('Alice.txt', 'Down the rabbit hole');
  const { id: conversationId } = await host.handlers['conversations.create']({ title: 'The jar', documentIds: [documentId] });
  const store = await MemoryStore.open({ folder: host.folder.memories, keptFreeBytes: 0 });
  const about = { title: 'Alice.txt', modelName: 'Tiny' };
  const leaf = await store.seal(null, fingerprint, book, partsFor(book), { name: ownerName('document', documentId), ...about });
  const chatLeaf = await store.seal(leaf, fingerprint, talk, partsFor(talk), { name: ownerName('conversation', conversationId) });
  await store.markUsed(leaf, 1000);
  await store.close();
  return { host, documentId, conversationId, leaves: [leaf, chatLeaf] };
}

test('without memories there is an empty list, and no folder for them until they are asked for', async () => {
  const host = await openTestHost();
  const { id: documentId } = await host.documents.addText('a.txt', 'text');
  await host.handlers['documents.remove']({ documentId });
  expect(existsSync(host.folder.memories)).toBe(false);
  expect(await host.handlers['memories.list']({})).toEqual([]);
  expect(await host.handlers['memories.quota']({})).toMatchObject({ usedBytes: 0, quotaBytes: null });
});

test('memories are listed by the names of documents and chats, and deleted with what they free', async () => {
  const { host, leaves } = await hostWithMemories();
  const changes: string[] = [];
  host.events.subscribe((name) => changes.push(name));
  const listed = await host.handlers['memories.list']({});
  expect(listed.map((record) => memoryRecord.parse(record))).toMatchObject([
    { id: leaves[1], users: [{ kind: 'conversation', name: 'The jar' }], tokens: 5, state: 'ready' },
    { id: leaves[0], users: [{ kind: 'document', name: 'Alice.txt' }], modelName: 'Tiny', tokens: 3, freedBytes: 0, lastUsedAtMs: 1000 },
  ]);
  const { usedBytes } = await host.handlers['memories.quota']({});
  expect(listed[0].bytes).toBe(usedBytes);
  expect(await host.handlers['memories.remove']({ memoryId: leaves[0] })).toEqual({ freedBytes: 0 });
  expect(await host.handlers['memories.remove']({ memoryId: leaves[1] })).toEqual({ freedBytes: usedBytes });
  expect(await host.handlers['memories.list']({})).toEqual([]);
  expect((await failureOf(() => host.handlers['memories.remove']({ memoryId: leaves[0] }))).code).toBe('memory-not-found');
  expect(changes).toEqual(['memories.changed', 'memories.changed']);
});

test('the limit is kept', async () => {
  const { host } = await hostWithMemories();
  expect(await host.handlers['memories.quota']({ quotaBytes: 5e9 })).toMatchObject({ quotaBytes: 5e9 });
  expect(await host.handlers['memories.quota']({})).toMatchObject({ quotaBytes: 5e9 });
  expect(await host.handlers['memories.quota']({ quotaBytes: null })).toMatchObject({ quotaBytes: null });
});

test('a document takes its memories with it, those of chats that read it too', async () => {
  const { host, documentId, conversationId } = await hostWithMemories();
  await host.handlers['documents.remove']({ documentId });
  expect(await host.handlers['memories.quota']({})).toMatchObject({ usedBytes: 0 });
  expect(host.conversations.get(conversationId).title).toBe('The jar');
});

test('a chat takes only its own part with it', async () => {
  const { host, conversationId, leaves } = await hostWithMemories();
  await host.handlers['conversations.remove']({ conversationId });
  const [left, ...others] = await host.handlers['memories.list']({});
  expect(others).toEqual([]);
  expect(left).toMatchObject({ id: leaves[0], freedBytes: left.bytes });
});

test('another process that has the memories is waited for, but not for ever', async () => {
  const { host } = await hostWithMemories();
  const folder = host.folder.memories;
  const names = { document: () => undefined, conversation: () => undefined };
  const store = await MemoryStore.open({ folder });
  onTestFinished(() => store.close());
  const impatient = new MemoryShelf({ folder, names, patienceMs: 150 });
  expect((await failureOf(() => impatient.list())).code).toBe('data-folder-in-use');
  const waiting = new MemoryShelf({ folder, names, patienceMs: 20_000 }).list();
  await store.close();
  // What is gone from the library keeps the name that the reading gave it.
  expect((await waiting).flatMap(({ users }) => users)).toMatchObject([{ kind: 'conversation', name: null }, { kind: 'document', name: 'Alice.txt' }]);
});

test('while the worker runs it is asked, because it holds the lock', async () => {
  const host = await openTestHostWithModel();
  const { id: documentId } = await host.documents.addText('Alice.txt', 'Down the rabbit hole');
  const reading = host.readings.start(documentId, host.models.list()[0].id);
  await eventually(() => host.readings.list().some(({ id, state }) => id === reading.id && state === 'done'));
  expect((await failureOf(() => MemoryStore.open({ folder: host.folder.memories }))).code).toBe('data-folder-in-use');
  const listMs: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const startedMs = performance.now();
    await host.handlers['memories.list']({});
    listMs.push(performance.now() - startedMs);
  }
  // Nobody waited for a lock, which would take a tenth of a second at the least.
  expect(Math.min(...listMs)).toBeLessThan(100);
  const [memory] = await host.handlers['memories.list']({});
  expect(memory).toMatchObject({ users: [{ kind: 'document', id: documentId, name: 'Alice.txt' }], tokens: 4, state: 'ready' });
  expect(await host.handlers['memories.quota']({ quotaBytes: 5e9 })).toMatchObject({ quotaBytes: 5e9, usedBytes: memory.bytes });
  expect(await host.handlers['memories.remove']({ memoryId: memory.id })).toEqual({ freedBytes: memory.bytes });
  expect((await failureOf(() => host.handlers['memories.remove']({ memoryId: memory.id }))).code).toBe('memory-not-found');
});
