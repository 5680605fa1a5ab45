import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { defaultKvSetting, type KvSetting } from '../contract/policy.ts';
import { MemoryShelf } from '../memories/memoryShelf.ts';
import { MemoryStore } from '../memories/memoryStore.ts';
import { buildWorker } from '../testing/builtWorker.ts';
import { makeScene, type MemoryScene, Person } from '../testing/memoryScene.ts';

let entry: string;
beforeAll(() => {
  entry = buildWorker();
}, 120_000);

const memoryList = z.array(z.object({ tokens: z.number(), owners: z.array(z.object({ owner: z.string() })) }));

const people: Person[] = [];
const start = async (scene: MemoryScene, kv?: KvSetting): Promise<Person> => {
  const person = await Person.start(entry, scene, kv);
  people.push(person);
  return person;
};
afterEach(async () => {
  for (const person of people.splice(0)) await person.quit();
});

test('what was read is there after a restart, for the document and for the chat', async () => {
  const scene = makeScene();
  const [document] = scene.documents;
  const first = await start(scene);
  const read = await first.read(document);
  expect(read.keptTokens).toBe(0);
  const expected = await first.askAnew(document, 'where?');
  await first.quit();

  const second = await start(scene);
  expect((await second.read(document)).keptTokens).toBe(read.tokens - 1);
  await second.quit();

  const third = await start(scene);
  const answer = await third.ask(document, 'chat', 'where?');
  expect(answer.text).toBe(expected);
  expect(answer.statistics).toMatchObject({ keptTokens: read.tokens, notKept: null });
  await third.quit();

  // The turn was kept, too, under the chat's name.
  const fourth = await start(scene);
  const memories = memoryList.parse(await fourth.call({ name: 'list' }));
  const held = Object.fromEntries(memories.flatMap(({ tokens, owners }) => owners.map(({ owner }) => [owner, tokens])));
  expect(held[`document:${document.id}`]).toBe(read.tokens);
  expect(held['conversation:chat']).toBeGreaterThanOrEqual(answer.statistics.promptTokens + answer.statistics.answerTokens - 1);
});

test('what was read sparsely does not pass for what was read exactly, and says so', async () => {
  const scene = makeScene();
  const [document] = scene.documents;
  const sparseReading = { share: 0.1, fromTokens: 512 };
  const sparsely = { ...defaultKvSetting, sparseReading };
  const first = await start(scene, sparsely);
  const read = await first.read(document);
  expect(read.sparselyRead).toMatchObject({ ...sparseReading, tokens: read.tokens - 512 });
  expect(read.sparselyRead!.skippedShare).toBeGreaterThan(0.3);
  await first.quit();

  // Whoever reads exactly finds nothing; whoever reads so again finds all, and it is what it was.
  const exact = await start(scene);
  expect(await exact.read(document)).toMatchObject({ keptTokens: 0, sparselyRead: null });
  await exact.quit();
  const again = await start(scene, sparsely);
  const { keptTokens, sparselyRead } = await again.read(document);
  expect(keptTokens).toBe(read.tokens - 1);
  expect(sparselyRead).toEqual({ ...read.sparselyRead, skippedShare: null });
  const { statistics } = await again.ask(document, null, 'where?');
  expect(statistics).toMatchObject({ reusedTokens: read.tokens, sparselyRead });
  await again.quit();

  const shelf = new MemoryShelf({ folder: scene.folder, names: { document: () => undefined, conversation: () => undefined } });
  expect((await shelf.list()).map((memory) => memory.sparseReading)).toEqual(expect.arrayContaining([null, sparseReading]));
  const other = await start(scene, { ...sparsely, sparseReading: { ...sparseReading, share: 0.2 } });
  expect((await other.read(document)).keptTokens).toBe(0);
});

test('states of a hybrid come back, for the document, another answer and the next turn', async () => {
  const scene = makeScene('qwen35');
  const [document] = scene.documents;
  const first = await start(scene);
  const read = await first.read(document);
  expect(read.keptTokens).toBe(0);
  const expected = await first.askAnew(document, 'where?');
  await first.quit();

  const second = await start(scene);
  expect((await second.read(document)).keptTokens).toBe(read.tokens);
  const answer = await second.ask(document, 'chat', 'where?');
  expect(answer.text).toBe(expected);
  expect(answer.statistics).toMatchObject({ keptTokens: read.tokens, notKept: null });
  // Another answer computes the last token of the prompt only.
  const again = await second.ask(document, 'chat', 'where?');
  expect(again.text).toBe(expected);
  expect(again.statistics.reusedTokens).toBe(again.statistics.promptTokens - 1);
  // Another question goes on from the end of the document, in a worker that has read something else since.
  await second.read(scene.documents[1]);
  const other = await second.ask(document, 'other chat', 'who?');
  expect(other.statistics.reusedTokens).toBeGreaterThanOrEqual(read.tokens);
  expect(other.text).toBe(await second.askAnew(document, 'who?'));
});

test('a reading that is stopped before its first segment is whole goes on where it was', async () => {
  const scene = makeScene();
  const [document] = scene.documents;
  const person = await start(scene);
  const expected = await person.askAnew(document, 'where?');
  await person.remove(`document:${document.id}`);
  const stop = new AbortController();
  const stopped = expect(person.read(document, { signal: stop.signal })).rejects.toMatchObject({ failure: { code: 'cancelled' } });
  while ((person.readTokens.get(document.id) ?? 0) < 100) await new Promise((resolve) => setTimeout(resolve, 2));
  stop.abort();
  await stopped;
  await person.quit();
  const again = await start(scene);
  // What it says of the beginning alone is what it says of a document that ends there.
  const { text, statistics } = await again.askNow(document, 'where?');
  const [{ readTokens, tokens }] = statistics.partlyRead;
  expect(tokens).toBe(1700);
  expect(readTokens).toBeGreaterThan(60);
  expect(readTokens).toBeLessThan(1700);
  expect(statistics.keptTokens).toBeGreaterThan(readTokens);
  const textPath = join(scene.folder, '..', 'beginning.txt');
  writeFileSync(textPath, readFileSync(document.textPath, 'utf8').slice(0, readTokens));
  expect(text).toBe(await again.askAnew({ ...document, id: 'beginning', textPath }, 'where?'));
  await again.quit();
  const third = await start(scene);
  expect((await third.read(document)).keptTokens).toBeGreaterThanOrEqual(100);
  // Once all is read there is nothing to cut.
  expect((await third.askNow(document, 'where?')).statistics.partlyRead).toEqual([]);
  expect((await third.ask(document, null, 'where?')).text).toBe(expected);
});

test('a damaged segment is named, and read again when one tries again', async () => {
  const scene = makeScene();
  const [document] = scene.documents;
  const first = await start(scene);
  await first.read(document);
  const expected = await first.askAnew(document, 'where?');
  await first.quit();
  const damaged = largestFile(scene.folder);
  const bytes = readFileSync(damaged);
  bytes[Math.floor(bytes.length / 2)] ^= 1;
  writeFileSync(damaged, bytes);

  const second = await start(scene);
  await expect(second.ask(document, null, 'where?')).rejects.toMatchObject({ failure: { code: 'memory-damaged', message: expect.stringContaining('memories/segments/') } });
  const answer = await second.ask(document, null, 'where?');
  expect(answer.text).toBe(expected);
  await second.quit();

  const third = await start(scene);
  const { tokens, keptTokens } = await third.read(document);
  expect(keptTokens).toBe(tokens - 1);
});

test('keys that do not fit the model any more are noticed, and read anew when one tries again', async () => {
  const scene = makeScene();
  const [document] = scene.documents;
  const first = await start(scene);
  const { leaf } = await first.read(document);
  const expected = await first.askAnew(document, 'where?');
  await first.quit();
  const store = await MemoryStore.open({ folder: scene.folder, keptFreeBytes: 0 });
  const { parent, parts } = store.describe(leaf);
  const probe = new Float32Array((await store.read(leaf, 'probe', 0, parts.get('probe') ?? 0)).slice().buffer);
  probe[1] += 1;
  await store.thin(leaf, (part) => part === 'probe');
  const [summary] = await store.list();
  await store.seal(parent, summary.fingerprint, await store.tokens(leaf), [{ name: 'probe', bytes: new Uint8Array(probe.buffer) }]);
  await store.close();

  const second = await start(scene);
  await expect(second.ask(document, null, 'where?')).rejects.toMatchObject({ failure: { code: 'memory-mismatch', message: expect.stringContaining('differ by 1.0') } });
  const answer = await second.ask(document, null, 'where?');
  expect(answer.text).toBe(expected);
  expect(answer.statistics.keptTokens).toBe(0);
  await second.quit();
  const third = await start(scene);
  expect((await third.ask(document, null, 'where?')).statistics.keptTokens).toBeGreaterThan(0);
});

test('a quota that is full ends a reading with both numbers, and lets an answer go on', async () => {
  const scene = makeScene();
  const [document] = scene.documents;
  const person = await start(scene);
  await person.call({ name: 'setQuota', quotaBytes: 1_000_000 });
  await expect(person.read(document)).rejects.toMatchObject({ failure: { code: 'memory-quota-full' } });
  const answer = await person.ask(document, 'chat', 'where?');
  expect(answer.text).toBe(await person.askAnew(document, 'where?'));
  expect(answer.statistics.notKept).toMatchObject({ code: 'memory-quota-full' });
});

test('a folder that another worker has is an error for who would keep, and none for who would only use it', async () => {
  const scene = makeScene();
  const [document] = scene.documents;
  const first = await start(scene);
  await first.read(document);
  const second = await start(scene);
  await expect(second.read(document)).rejects.toMatchObject({ failure: { code: 'data-folder-in-use' } });
  const answer = await second.ask(document, null, 'where?', { onlyUse: true });
  expect(answer.statistics).toMatchObject({ keptTokens: 0 });
});

test('what a person deletes while the model has it is read anew', async () => {
  const scene = makeScene();
  const [document] = scene.documents;
  const person = await start(scene);
  await person.read(document);
  const before = await person.ask(document, null, 'where?', { onlyUse: true });
  await person.remove(`document:${document.id}`);
  const after = await person.ask(document, null, 'where?', { onlyUse: true });
  expect(after.text).toBe(before.text);
  expect(after.statistics).toMatchObject({ keptTokens: 0, reusedTokens: 0 });
});

function largestFile(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry_) => entry_.isFile() && entry_.name === 'data');
  return files.map(({ parentPath, name }) => join(parentPath, name)).sort((a, b) => statSync(b).size - statSync(a).size)[0];
}
