import { expect, test } from 'vitest';
import type { Reading } from '../contract/entities.ts';
import type { Host } from '../host.ts';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHost, openTestHostWithModel, writeTinyModel } from '../testing/openTestHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';

const words = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `word${from + index}`).join(' ');
/** Segments of ten words, 60 ms each: long enough to be caught in the middle. */
const slowly = { worker: { environment: { ...process.env, SCRIPTED_CHUNK_MS: '60' } } };

interface Story {
  host: Host;
  modelId: string;
  documentId: string;
  changes: Reading[];
  removed: string[];
  now(readingId: string): Reading;
  until(readingId: string, check: (reading: Reading) => boolean): Promise<Reading>;
}

async function storyOf(host: Host, text: string): Promise<Story> {
  const { id: documentId } = await host.documents.addText('book.txt', text);
  return { ...follow(host), documentId };
}

function follow(host: Host): Omit<Story, 'documentId'> {
  const changes: Reading[] = [];
  const removed: string[] = [];
  host.events.subscribe((name, payload) => {
    if ((name as string) === 'readings.changed') changes.push(payload as Reading);
    if ((name as string) === 'readings.removed') removed.push((payload as unknown as { readingId: string }).readingId);
  });
  const now = (readingId: string) => {
    const found = host.readings.list().find(({ id }) => id === readingId);
    if (!found) throw new Error(`no reading ${readingId}`);
    return found;
  };
  const until = (readingId: string, check: (reading: Reading) => boolean) =>
    eventually(() => {
      const reading = now(readingId);
      return check(reading) ? reading : undefined;
    });
  return { host, modelId: host.models.list()[0].id, changes, removed, now, until };
}

const statesOf = (changes: readonly Reading[]) => changes.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);
const memoriesOf = (host: Host) => host.handlers['memories.list']({});

test('a document is read into a memory with progress, and the second time it is there already', async () => {
  const { host, documentId, modelId, changes, until } = await storyOf(await openTestHostWithModel(), words(50));
  const reading = await host.handlers['readings.start']({ documentId, modelId });
  expect(reading).toMatchObject({ documentId, modelId, state: 'loading', doneTokens: 0 });
  await until(reading.id, ({ state }) => state === 'done');
  expect(statesOf(changes)).toEqual(['queued', 'loading', 'reading', 'done']);
  expect(changes.at(-1)).toMatchObject({ doneTokens: 50, totalTokens: 50, tokensPerSecond: null, secondsLeft: null, failure: null });
  expect(await memoriesOf(host)).toMatchObject([{ users: [{ kind: 'document', id: documentId }], tokens: 50, state: 'ready' }]);

  const before = changes.length;
  const again = await host.handlers['readings.start']({ documentId, modelId });
  await until(again.id, ({ state }) => state === 'done');
  expect(changes.slice(before).filter(({ state }) => state === 'reading').every(({ doneTokens }) => doneTokens === 50)).toBe(true);
  expect(host.readings.list()).toHaveLength(1);
});

test('progress comes at most four times a second, with the rate and the time left', async () => {
  const { host, documentId, modelId, changes, until } = await storyOf(await openTestHostWithModel(slowly), words(250));
  const started = performance.now();
  const { id } = host.readings.start(documentId, modelId);
  await until(id, ({ state }) => state === 'done');
  const seconds = (performance.now() - started) / 1000;
  const progress = changes.filter(({ state }) => state === 'reading');
  expect(progress.length).toBeLessThanOrEqual(Math.ceil(4 * seconds) + 2);
  const middle = progress.find(({ doneTokens }) => doneTokens > 0 && doneTokens < 250);
  expect(middle?.tokensPerSecond).toBeGreaterThan(0);
  expect(middle?.secondsLeft).toBeCloseTo((250 - (middle?.doneTokens ?? 0)) / (middle?.tokensPerSecond ?? 1), 3);
});

test('pausing keeps what was read, resuming goes on from there', async () => {
  const { host, documentId, modelId, changes, until, now } = await storyOf(await openTestHostWithModel(slowly), words(300));
  const { id } = host.readings.start(documentId, modelId);
  await until(id, ({ doneTokens }) => doneTokens >= 20);
  const paused = await host.handlers['readings.pause']({ readingId: id });
  expect(paused).toMatchObject({ state: 'paused', failure: null, tokensPerSecond: null });
  expect(await memoriesOf(host)).toMatchObject([{ users: [{ kind: 'reading', id: documentId, name: 'book.txt' }], state: 'reading' }]);
  const [{ tokens: keptTokens }] = await memoriesOf(host);
  expect(keptTokens).toBeGreaterThanOrEqual(20);
  expect(keptTokens).toBeLessThan(300);

  const before = changes.length;
  expect(host.readings.start(documentId, modelId).id).toBe(id);
  await until(id, ({ state }) => state === 'done');
  expect(changes.slice(before).find(({ state }) => state === 'reading')?.doneTokens).toBe(keptTokens);
  expect(now(id).doneTokens).toBe(300);
});

test('cancelling forgets the reading and what it has read', async () => {
  const { host, documentId, modelId, removed, until } = await storyOf(await openTestHostWithModel(slowly), words(100));
  const { id } = host.readings.start(documentId, modelId);
  await until(id, ({ doneTokens }) => doneTokens >= 20);
  await host.handlers['readings.cancel']({ readingId: id });
  expect(host.readings.list()).toEqual([]);
  expect(removed).toEqual([id]);
  expect(await host.handlers['memories.quota']({})).toMatchObject({ usedBytes: 0 });
  expect((await failureOf(() => host.handlers['readings.pause']({ readingId: id }))).code).toBe('reading-not-found');
});

test('one at a time, in order; one that waits can be paused and cancelled', async () => {
  const { host, documentId, modelId, until, now } = await storyOf(await openTestHostWithModel(slowly), words(60));
  const others = await Promise.all([100, 200, 300].map(async (from) => (await host.documents.addText(`${from}.txt`, words(20, from))).id));
  const [first, second, third, fourth] = [documentId, ...others].map((id) => host.readings.start(id, modelId));
  expect([first, second, third, fourth].map(({ state }) => state)).toEqual(['loading', 'queued', 'queued', 'queued']);
  await host.readings.pause(second.id);
  await host.readings.cancel(third.id);
  await until(fourth.id, ({ state }) => state === 'done');
  expect([now(first.id).state, now(second.id).state]).toEqual(['done', 'paused']);
  expect(host.readings.list().map(({ id }) => id)).toEqual([second.id, first.id, fourth.id]);
});

test('an answer goes before a reading, which goes on afterwards', async () => {
  const { host, documentId, modelId, changes, until, now } = await storyOf(await openTestHostWithModel(slowly), words(300));
  const { id } = host.readings.start(documentId, modelId);
  await until(id, ({ doneTokens }) => doneTokens >= 20);
  const conversation = await host.handlers['conversations.create']({});
  const { answer } = host.chat.send(conversation.id, 'count 200');
  await eventually(() => host.chat.messages(conversation.id)[1]?.text);
  expect(now(id)).toMatchObject({ state: 'queued' });
  expect(now(id).doneTokens).toBeLessThan(300);
  const answered = await eventually(() => (host.messages.get(answer.id).state === 'complete' ? changes.length : undefined));
  await until(id, ({ state }) => state === 'done');
  expect(changes.slice(answered).find(({ state }) => state === 'reading')?.doneTokens).toBeGreaterThanOrEqual(20);
});

test('deleting does not wait for a reading to end', async () => {
  const { host, documentId, modelId, until, now } = await storyOf(await openTestHostWithModel(slowly), words(400));
  const { id } = host.readings.start(documentId, modelId);
  await until(id, ({ doneTokens }) => doneTokens >= 20);
  const { id: conversationId } = await host.handlers['conversations.create']({});
  await host.handlers['conversations.remove']({ conversationId });
  expect(now(id).doneTokens).toBeLessThan(400);
  await until(id, ({ state }) => state === 'reading');
});

test('a reading steps aside for another model that is needed to count, and rests a while', async () => {
  const { host, documentId, modelId, until, now } = await storyOf(await openTestHostWithModel(slowly), words(400));
  const other = await host.models.importFile(await writeTinyModel(temporaryFolder(), 'other.gguf', 2), 'other.gguf', 'keep');
  const { id } = host.readings.start(documentId, modelId);
  await until(id, ({ doneTokens }) => doneTokens >= 20);
  const conversation = await host.handlers['conversations.create']({ modelId: other.id });
  expect(await host.handlers['chat.meter']({ conversationId: conversation.id, draft: 'three words only' })).toMatchObject({ questionTokens: 3 });
  expect(host.supervisor.status.loadedModelId).toBe(other.id);
  expect(now(id).state).toBe('queued');
});

test('without room it is paused with the reason, and goes on when there is', async () => {
  const { host, documentId, modelId, until } = await storyOf(await openTestHostWithModel(slowly), words(200));
  await host.handlers['memories.quota']({ quotaBytes: 200_000 });
  const { id } = host.readings.start(documentId, modelId);
  const paused = await until(id, ({ state }) => state === 'paused');
  expect(paused.failure).toMatchObject({ code: 'memory-quota-full', remedy: expect.stringContaining('then go on: what has been read is kept') });
  expect(paused.doneTokens).toBeGreaterThan(0);
  await host.handlers['memories.quota']({ quotaBytes: null });
  expect(host.readings.start(documentId, modelId)).toMatchObject({ id, failure: null });
  await until(id, ({ state }) => state === 'done');
});

test('a worker that dies is no reason to stop, as long as the reading gets ahead', async () => {
  const { host, documentId, modelId, changes, until } = await storyOf(await openTestHostWithModel(), `${words(35)} die! ${words(20, 50)}`);
  const { id } = host.readings.start(documentId, modelId);
  const paused = await until(id, ({ state }) => state === 'paused');
  expect(paused).toMatchObject({ doneTokens: 30, failure: { code: 'worker-died', message: 'The GPU worker stopped (signal SIGKILL) while reading.' } });
  // The first death came after three segments, the second before the next.
  expect(statesOf(changes)).toEqual(['queued', 'loading', 'reading', 'queued', 'loading', 'reading', 'paused']);
});

test('what cannot be read says why', async () => {
  const { host, documentId, modelId } = await storyOf(await openTestHostWithModel(), 'text');
  expect((await failureOf(() => host.readings.start('gone', modelId))).code).toBe('document-not-found');
  expect((await failureOf(() => host.readings.start(documentId, 'gone'))).code).toBe('model-not-found');
});

test('a document and a model take their readings with them', async () => {
  const { host, documentId, modelId, removed, until } = await storyOf(await openTestHostWithModel(slowly), words(100));
  const { id: other } = await host.documents.addText('other.txt', words(50, 500));
  const [first, second] = [documentId, other].map((one) => host.readings.start(one, modelId));
  await until(first.id, ({ doneTokens }) => doneTokens >= 10);
  await host.handlers['documents.remove']({ documentId });
  expect(removed).toEqual([first.id]);
  expect(await memoriesOf(host)).toEqual([]);
  await until(second.id, ({ doneTokens }) => doneTokens >= 10);
  await host.handlers['models.remove']({ modelId });
  expect(removed).toEqual([first.id, second.id]);
  expect(host.readings.list()).toEqual([]);
});

test.each([
  [true, 'it goes on by itself'],
  [false, 'it waits, where the person wants that'],
])('after a restart a reading that was under way: continueReadings %s, %s', async (continueReadings) => {
  const { host, documentId, modelId, until } = await storyOf(await openTestHostWithModel(slowly), words(300));
  const { id: pausedId } = await host.documents.addText('paused.txt', words(20, 700));
  const { id } = host.readings.start(documentId, modelId);
  const waiting = host.readings.start(pausedId, modelId);
  await host.readings.pause(waiting.id);
  await host.handlers['settings.update']({ continueReadings });
  const { doneTokens } = await until(id, (reading) => reading.doneTokens >= 20);
  await host.close();

  const again = await openTestHost({ dataFolder: host.folder.root });
  const after = follow(again);
  expect(after.now(id)).toMatchObject({ state: 'queued', doneTokens: expect.any(Number) });
  expect(after.now(id).doneTokens).toBeGreaterThanOrEqual(doneTokens);
  again.begin();
  expect(after.now(waiting.id).state).toBe('paused');
  if (continueReadings) {
    await after.until(id, ({ state }) => state === 'done');
    expect(after.changes.find(({ state }) => state === 'reading')?.doneTokens).toBeGreaterThanOrEqual(20);
  } else {
    expect(after.now(id).state).toBe('paused');
  }
});

test('a reading waits while the machine sleeps, and goes on from where it was', async () => {
  const { host, documentId, modelId, changes, until } = await storyOf(await openTestHostWithModel(slowly), words(300));
  const { id } = await host.handlers['readings.start']({ documentId, modelId });
  await until(id, ({ doneTokens }) => doneTokens >= 20);
  host.readings.sleep();
  const asleep = await until(id, ({ state }) => state === 'queued');
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(host.readings.list()).toEqual([asleep]);
  expect(asleep.doneTokens).toBeLessThan(300);
  host.readings.wake();
  await until(id, ({ state }) => state === 'done');
  expect(statesOf(changes)).toEqual(['queued', 'loading', 'reading', 'queued', 'loading', 'reading', 'done']);
});
