import { expect, test } from 'vitest';
import { estimatesRest } from '../../engine/kv/tiers/policy.ts';
import type { Message } from '../contract/entities.ts';
import { policyEstimates, type PolicySetting } from '../contract/policy.ts';
import type { EventName, EventPayload } from '../contract/methods.ts';
import type { Host } from '../host.ts';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHost, openTestHostWithModel } from '../testing/openTestHost.ts';

function record<E extends EventName>(host: Host, name: E): EventPayload<E>[] {
  const seen: EventPayload<E>[] = [];
  host.events.subscribe((event, payload) => {
    if ((event as EventName) === name) seen.push(payload as unknown as EventPayload<E>);
  });
  return seen;
}

const start = async (host: Host, changes = {}) => (await host.handlers['conversations.create'](changes)).id;

function ended(host: Host, answer: Message): Promise<Message> {
  return eventually(() => {
    const now = host.messages.get(answer.id);
    return now.state === 'streaming' ? undefined : now;
  });
}

test('a question is answered, streamed and kept', async () => {
  const host = await openTestHostWithModel();
  const deltas = record(host, 'answer.delta');
  const progress = record(host, 'answer.progress');
  const changed = record(host, 'message.changed');
  const id = await start(host);
  expect(host.conversations.get(id).title).toBe('New chat');
  const { question, answer } = host.chat.send(id, 'count 40');
  const modelName = host.models.list()[0]?.name;
  expect(question).toMatchObject({ role: 'user', text: 'count 40', state: 'complete', parentId: null, modelName: null });
  expect(answer).toMatchObject({ role: 'assistant', text: '', state: 'streaming', parentId: question.id, modelName });

  const done = await ended(host, answer);
  const text = Array.from({ length: 40 }, (_, index) => `${index + 1} `).join('');
  expect(done).toMatchObject({ state: 'complete', text, failure: null, modelName, statistics: { modelName, answerTokens: 40, stopReason: 'end' } });
  // Each delta goes where the one before ended.
  let received = '';
  for (const { offset, text: piece } of deltas) {
    expect(offset).toBe(received.length);
    received += piece;
  }
  expect(received).toBe(text);
  expect(deltas.length).toBeLessThan(40);
  expect([...new Set(progress.map(({ phase }) => phase))]).toEqual(['queued', 'loading', 'reading', 'answering']);
  expect(changed.at(-1)).toEqual(done);
  expect(host.chat.messages(id).map(({ text: shown }) => shown)).toEqual(['count 40', text]);
  expect(host.conversations.get(id).title).toBe('count 40');
});

test('stop keeps what was written; edit and regenerate put alternatives beside the old ones', async () => {
  const host = await openTestHostWithModel();
  const id = await start(host);
  const first = host.chat.send(id, 'count 5000');
  await eventually(() => host.chat.messages(id)[1]?.text);
  await host.chat.stop(id);
  const stopped = host.messages.get(first.answer.id);
  expect(stopped.state).toBe('stopped');
  expect(stopped.text).toMatch(/^1 /);

  const again = host.chat.regenerate(first.answer.id);
  expect(again).toMatchObject({ siblingIndex: 1, siblingIds: [first.answer.id, again.id] });
  await host.chat.stop(id);

  const edited = host.chat.edit(first.question.id, 'count 2');
  await ended(host, edited.answer);
  expect(edited.question).toMatchObject({ siblingIndex: 1, siblingIds: [first.question.id, edited.question.id] });
  expect(host.chat.messages(id).map(({ text }) => text)).toEqual(['count 2', '1 2 ']);

  // Back to the first question: its newest answer is shown.
  expect(host.chat.select(first.question.id).map((shown) => shown.id)).toEqual([first.question.id, again.id]);
  expect(host.chat.select(first.answer.id).map((shown) => shown.id)).toEqual([first.question.id, first.answer.id]);
  expect(host.chat.messages(id)[1]?.text).toBe(stopped.text);
});

test('a worker killed in mid-answer fails the answer only; Try again works', async () => {
  const host = await openTestHostWithModel();
  const id = await start(host);
  const { answer } = host.chat.send(id, 'die 4');
  expect(await ended(host, answer)).toMatchObject({
    state: 'failed',
    text: '1 2 3 4 ',
    failure: {
      code: 'worker-died',
      message: 'The GPU worker stopped (signal SIGKILL) while answering.',
      remedy: 'Your conversation is intact: press Try again.',
    },
  });
  const edited = host.chat.edit(answer.parentId ?? '', 'count 2');
  expect(await ended(host, edited.answer)).toMatchObject({ state: 'complete', text: '1 2 ' });
});

test('one answer at a time: others queue, and a queued one can be stopped', async () => {
  const host = await openTestHostWithModel();
  const [a, b, c] = [await start(host), await start(host), await start(host)];
  const first = host.chat.send(a, 'count 5000');
  const second = host.chat.send(b, 'count 1');
  const third = host.chat.send(c, 'count 1');
  expect((await failureOf(() => host.chat.send(a, 'count 1'))).message).toBe('An answer is still being written in this conversation.');
  await eventually(() => host.chat.messages(a)[1]?.text);
  await host.chat.stop(b);
  expect(host.messages.get(second.answer.id)).toMatchObject({ state: 'stopped', text: '' });
  expect(host.messages.get(third.answer.id).state).toBe('streaming');
  expect(host.messages.get(first.answer.id).state).toBe('streaming');
  await host.chat.stop(a);
  expect(await ended(host, third.answer)).toMatchObject({ state: 'complete', text: '1 ' });
});

test('a question or a document longer than the window is refused with both numbers, never cut', async () => {
  const host = await openTestHostWithModel();
  const { id: documentId } = await host.documents.addText('long.txt', 'word '.repeat(990));
  const id = await start(host, { documentIds: [documentId], systemPrompt: '', sampling: { ...host.settings.read().defaultSampling, maxTokens: 8 } });
  const { answer } = host.chat.send(id, 'What does it say about words?');
  const { name } = host.models.list()[0] ?? { name: '' };
  expect(await ended(host, answer)).toMatchObject({ text: '', state: 'failed' });
  const tooLong = { remedy: 'Remove a document, ask a shorter question, or choose a model with a longer window.', code: 'prompt-too-long' };
  // 1 for the header, 990 in the document, 6 in the question.
  expect(host.messages.get(answer.id).failure).toEqual({
    code: 'answer-too-long-to-fit',
    message: `The prompt is 997 tokens and 8 are kept for the answer; ${name} holds 1,000.`,
    remedy: 'Allow a shorter answer, remove a document, or choose a model with a longer window.',
  });

  const meter = await host.chat.meter(id, 'word '.repeat(20));
  expect(meter).toMatchObject({
    windowTokens: 1000,
    trainedTokens: 1000,
    headerTokens: 1,
    documents: [{ documentId, name: 'long.txt', tokens: 990 }],
    questionTokens: 20,
    answerReserveTokens: 8,
    freeTokens: -19,
    refusal: { ...tooLong, message: `The prompt is 1,011 tokens; ${name} holds 1,000.` },
  });
  const { answer: second } = host.chat.edit(answer.parentId ?? '', 'word '.repeat(2000));
  expect((await ended(host, second)).failure).toEqual({ ...tooLong, message: `The prompt is 2,991 tokens; ${name} holds 1,000.` });
});

test('a policy is kept with its chat, forecast by the meter and used for the answer', async () => {
  const host = await openTestHostWithModel({ worker: { environment: { ...process.env, SCRIPTED_GPU_TOKENS: '100' } } });
  const progress = record(host, 'answer.progress');
  const { id: documentId } = await host.documents.addText('book.txt', 'word '.repeat(595));
  const sampling = { ...host.settings.read().defaultSampling, maxTokens: 8 };
  const id = await start(host, { documentIds: [documentId], systemPrompt: '', sampling });
  expect(host.conversations.get(id).policy).toBeNull();
  // 1 for the header, 595 in the document, 4 in the question: 100 of them on the GPU.
  const meter = async () => (await host.chat.meter(id, 'one two three four')).tiers;
  const beyond = { residentTokens: 100, offloadedTokens: 500 };
  expect(await meter()).toEqual({ ...beyond, policy: 'sketch', chosenTokens: 10, estimatedTokens: 490, droppedTokens: 0, droppedBecause: null });
  const choose = (policy: PolicySetting | null) => host.handlers['conversations.update']({ conversationId: id, policy });
  await choose({ name: 'full', budget: { share: 0.02 }, estimate: false });
  expect(await meter()).toMatchObject({ ...beyond, policy: 'full', chosenTokens: 500, estimatedTokens: 0, droppedTokens: 0 });
  await choose({ name: 'window', budget: { share: 0.02 }, estimate: false });
  expect(await meter()).toMatchObject({ chosenTokens: 0, droppedTokens: 500, droppedBecause: 'the policy “window” attends to the first and the latest tokens only' });
  const quest: PolicySetting = { name: 'quest', budget: { tokens: 64 }, estimate: false };
  await choose(quest);
  expect(await meter()).toMatchObject({ ...beyond, policy: 'quest', chosenTokens: 64, droppedTokens: 436, droppedBecause: 'the policy “quest” does not estimate what it does not choose' });
  expect(host.conversations.get(id).policy).toEqual(quest);

  const forecast = await meter();
  const { answer } = host.chat.send(id, 'one two three four');
  const { statistics } = await ended(host, answer);
  expect(statistics?.policy).toMatchObject({ name: 'quest', totalKeys: 100, exactKeys: 50, estimatedKeys: 50, hitRatio: 0.75 });
  expect(progress.at(-1)?.tiers).toEqual(forecast);
});

test('the policies that the contract knows estimate what the engine’s estimate', () => {
  expect(policyEstimates).toEqual(estimatesRest);
});

test('a change of the budgets loads the model again, page bounds only where they are needed', async () => {
  const host = await openTestHostWithModel();
  const id = await start(host);
  const loads = record(host, 'worker.status');
  const loaded = async () => {
    const before = loads.length;
    await host.chat.meter(id, 'a few words');
    return loads.slice(before).some(({ loading }) => loading !== null);
  };
  expect([await loaded(), await loaded()]).toEqual([true, false]);
  await host.handlers['settings.update']({ kv: { gpuBytes: 1e9, ramBytes: null, format: 'q8', sparseReading: null } });
  expect([await loaded(), await loaded()]).toEqual([true, false]);
  await host.handlers['conversations.update']({ conversationId: id, policy: { name: 'quest', budget: { share: 0.1 }, estimate: false } });
  expect([await loaded(), await loaded()]).toEqual([true, false]);
  // They do no harm to the others.
  await host.handlers['conversations.update']({ conversationId: id, policy: null });
  expect(await loaded()).toBe(false);
});

test('counting tokens says that it loads the model, and how far it is', async () => {
  const host = await openTestHostWithModel();
  const states = record(host, 'worker.status');
  const modelId = host.models.list()[0]?.id;
  await host.chat.meter(await start(host), 'three words only');
  const loading = states.map((status) => status.loading);
  expect(loading).toContainEqual({ modelId, doneBytes: 0, totalBytes: 3 });
  expect(loading).toContainEqual({ modelId, doneBytes: 3, totalBytes: 3 });
  expect(states.at(-1)).toMatchObject({ loading: null, loadedModelId: modelId });
});

test('without a model the question is refused before it is taken', async () => {
  const host = await openTestHost();
  const id = await start(host);
  expect(await failureOf(() => host.chat.send(id, 'hello'))).toEqual({
    code: 'no-model',
    message: 'There is no model on this machine yet.',
    remedy: 'Download the starter model or import a GGUF file by hand.',
  });
  expect(host.chat.messages(id)).toEqual([]);
});

test('after an orderly end a streaming answer is interrupted, with what was written', async () => {
  const host = await openTestHostWithModel();
  const id = await start(host);
  const { answer } = host.chat.send(id, 'count 5000');
  await eventually(() => host.chat.messages(id)[1]?.text);
  await host.close();
  const again = await openTestHost({ dataFolder: host.folder.root });
  const interrupted = again.messages.get(answer.id);
  expect(interrupted.state).toBe('interrupted');
  expect(interrupted.text).toMatch(/^1 /);
  const retry = again.chat.regenerate(answer.id);
  again.chat.stop(id);
  await ended(again, retry);
});

test('a conversation that is removed while it is answered leaves nothing behind', async () => {
  const host = await openTestHostWithModel();
  const id = await start(host);
  const { answer } = host.chat.send(id, 'count 5000');
  await eventually(() => host.chat.messages(id)[1]?.text);
  await host.handlers['conversations.remove']({ conversationId: id });
  expect(host.conversations.page({ folderId: null, before: null, limit: 10 }).conversations).toEqual([]);
  expect((await failureOf(() => host.messages.get(answer.id))).code).toBe('message-not-found');
});

test('removing a document or a model frees the conversations that used it', async () => {
  const host = await openTestHostWithModel();
  const { id: documentId } = await host.documents.addText('a.txt', 'one two three');
  const modelId = host.models.list()[0]?.id ?? '';
  const id = await start(host, { documentIds: [documentId], modelId });
  expect(await host.handlers['documents.countTokens']({ documentId, modelId })).toEqual({ tokens: 3 });
  await host.handlers['documents.remove']({ documentId });
  await host.handlers['models.remove']({ modelId });
  expect(host.conversations.get(id)).toMatchObject({ documentIds: [], modelId: null });
});
