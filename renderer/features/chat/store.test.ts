import { describe, expect, it, vi } from 'vitest';
import type { ContextMeter } from '../../../host/contract/entities.ts';
import { conversationOf, messageOf, sampleFailure, scriptedHost, settled } from '../../testing/scriptedHost.ts';
import { activeConversationOf } from './conversationsSlice.ts';
import { createChatStore } from './store.ts';
import { keptThreads, messagesOf } from './thread.ts';

const question = messageOf('q1');
const answer = messageOf('a1', { role: 'assistant', parentId: 'q1', state: 'streaming', text: '' });
const meter: ContextMeter = {
  windowTokens: 100, trainedTokens: 100, layers: [], headerTokens: 1, systemTokens: 1, documents: [], historyTokens: 0, questionTokens: 2, answerReserveTokens: 10,
  freeTokens: 86, refusal: null, cachedTokens: 0, readingTokensPerSecond: null, keptBytesPerToken: 100,
  tiers: { policy: 'sketch', residentTokens: 4, offloadedTokens: 0, chosenTokens: 0, estimatedTokens: 0, droppedTokens: 0, droppedBecause: null },
};

async function openedStore(answers: Parameters<typeof scriptedHost>[0] = {}) {
  const host = scriptedHost({
    'conversations.list': () => ({ conversations: [conversationOf('c1'), conversationOf('c2', { updatedAtMs: 5 })], more: false }),
    'folders.list': () => [],
    'conversations.events': () => [],
    'conversations.messages': () => [question, answer],
    'chat.meter': () => meter,
    ...answers,
  });
  const store = createChatStore(host, (callback) => callback());
  host.open();
  await settled();
  store.getState().open('c1');
  await settled();
  const texts = () => messagesOf(store.getState().threads.c1).map(({ text }) => text);
  return { host, store, texts };
}

describe('the chat store', () => {
  it('lists the newest conversation first', async () => {
    const { store } = await openedStore();
    expect(store.getState().conversations.map(({ id }) => id)).toEqual(['c2', 'c1']);
  });

  it('streams deltas into the answer', async () => {
    const { host, texts } = await openedStore();
    host.send('answer.delta', { conversationId: 'c1', messageId: 'a1', offset: 0, text: 'Doro' });
    host.send('answer.delta', { conversationId: 'c1', messageId: 'a1', offset: 4, text: 'thea' });
    expect(texts()).toEqual(['q1', 'Dorothea']);
  });

  it('fetches the message again when a delta is missing, and then applies what came meanwhile', async () => {
    const { host, texts } = await openedStore();
    host.answers['conversations.messages'] = () => [question, { ...answer, text: 'Dorothea Br' }];
    host.send('answer.delta', { conversationId: 'c1', messageId: 'a1', offset: 9, text: 'Brooke' });
    host.send('answer.delta', { conversationId: 'c1', messageId: 'a1', offset: 15, text: ' is' });
    expect(texts()).toEqual(['q1', '']);
    await settled();
    expect(texts()).toEqual(['q1', 'Dorothea Brooke is']);
    expect(host.calls.filter(({ method }) => method === 'conversations.messages')).toHaveLength(2);
  });

  it('drops the progress of an answer that ended', async () => {
    const { host, store } = await openedStore();
    const progress = { conversationId: 'c1', messageId: 'a1', phase: 'reading', done: 1, total: 2, perSecond: 1, secondsLeft: 1, tiers: null } as const;
    host.send('answer.progress', progress);
    expect(store.getState().progress.a1).toEqual(progress);
    host.send('message.changed', { ...answer, state: 'failed', failure: sampleFailure });
    expect(store.getState().progress).toEqual({});
  });

  it('keeps the threads of the chats that were shown last, and those with an answer under way', async () => {
    const { host, store } = await openedStore();
    const answered = { ...answer, state: 'complete', text: 'Done.' } as const;
    host.answers['conversations.messages'] = ({ conversationId }) => [{ ...question, conversationId }, { ...answered, conversationId }];
    for (let chat = 2; chat <= keptThreads + 5; chat += 1) {
      store.getState().open(`c${chat}`);
      await settled();
    }
    expect(Object.keys(store.getState().threads)).toHaveLength(keptThreads);
    expect(Object.keys(store.getState().happenings)).toHaveLength(keptThreads);
    // Its answer streams.
    expect(store.getState().threads.c1.path).toEqual(['q1', 'a1']);
    expect(store.getState().threads.c2).toBeUndefined();
    store.getState().open('c2');
    await settled();
    expect(store.getState().threads.c2.path).toEqual(['q1', 'a1']);
  });

  it('keeps nothing of a chat that was removed', async () => {
    const { host, store } = await openedStore();
    host.send('conversation.removed', { conversationId: 'c1' });
    const { threads, happenings, activeId } = store.getState();
    expect({ threads, happenings, activeId }).toEqual({ threads: {}, happenings: {}, activeId: null });
  });

  it('creates a conversation only when the first question is sent, and clears its draft', async () => {
    const created = conversationOf('c3', { updatedAtMs: 9 });
    const { host, store } = await openedStore({
      'conversations.create': () => created,
      'chat.send': ({ text }) => ({ question: messageOf('q9', { conversationId: 'c3', text }), answer: messageOf('a9', { conversationId: 'c3', role: 'assistant', parentId: 'q9', state: 'streaming', text: '' }) }),
    });
    store.getState().open(null);
    store.getState().setDraft('new', 'Who?');
    expect(host.calls.some(({ method }) => method === 'conversations.create')).toBe(false);
    await store.getState().send('Who?');
    expect(activeConversationOf(store.getState())).toEqual(created);
    expect(store.getState().threads.c3.path).toEqual(['q9', 'a9']);
    expect(store.getState().drafts).toMatchObject({ c3: '' });
  });

  it('creates one conversation for two things that need it at once', async () => {
    const { host, store } = await openedStore({
      'conversations.create': async () => conversationOf('c3'),
      'conversations.update': ({ documentIds }) => conversationOf('c3', { documentIds }),
    });
    store.getState().open(null);
    await Promise.all([store.getState().ensureOpen(), store.getState().bringDocuments([Promise.resolve({ id: 'd1' })])]);
    expect(host.calls.filter(({ method }) => method === 'conversations.create')).toHaveLength(1);
  });

  it('brings documents to the chat that was open when they were chosen', async () => {
    const { host, store } = await openedStore({
      'conversations.create': () => conversationOf('c3', { updatedAtMs: 9 }),
      'conversations.update': ({ conversationId, documentIds }) => conversationOf(conversationId, { documentIds }),
      'conversations.remove': () => ({}),
    });
    const documentIdsOf = (conversationId: string) => store.getState().conversations.find(({ id }) => id === conversationId)?.documentIds;
    const slow = Promise.withResolvers<{ id: string } | null>();
    const slower = Promise.withResolvers<{ id: string } | null>();

    // To a new chat, while another is looked at by the time the second one is there.
    store.getState().open(null);
    const toNew = store.getState().bringDocuments([Promise.resolve({ id: 'd1' }), slow.promise]);
    await settled();
    expect(store.getState().activeId).toBe('c3');
    store.getState().open('c1');
    slow.resolve({ id: 'd2' });
    expect(await toNew).toBe(false);
    expect(documentIdsOf('c3')).toEqual(['d1', 'd2']);
    expect(documentIdsOf('c1')).toEqual([]);

    // To an empty chat that is left meanwhile: it stays for them.
    host.answers['conversations.messages'] = () => [];
    store.getState().open('c2');
    await settled();
    const toEmpty = store.getState().bringDocuments([slower.promise, Promise.resolve(null)]);
    store.getState().open('c1');
    slower.resolve({ id: 'd3' });
    expect(await toEmpty).toBe(false);
    expect(documentIdsOf('c2')).toEqual(['d3']);
    expect(host.calls.filter(({ method }) => method === 'conversations.remove')).toEqual([]);

    // Where nothing could be brought there is no chat for it.
    store.getState().open(null);
    expect(await store.getState().bringDocuments([Promise.resolve(null)])).toBe(true);
    expect(host.calls.filter(({ method }) => method === 'conversations.create')).toHaveLength(1);
  });

  it('begins a new chat behind the one that is looked at when its first document is there', async () => {
    const { store } = await openedStore({
      'conversations.create': () => conversationOf('c3', { updatedAtMs: 9 }),
      'conversations.update': ({ conversationId, documentIds }) => conversationOf(conversationId, { documentIds }),
    });
    const slow = Promise.withResolvers<{ id: string } | null>();
    store.getState().open(null);
    const bringing = store.getState().bringDocuments([slow.promise]);
    store.getState().open('c1');
    slow.resolve({ id: 'd1' });
    expect(await bringing).toBe(false);
    expect(store.getState().activeId).toBe('c1');
    expect(store.getState().conversations.find(({ id }) => id === 'c3')?.documentIds).toEqual(['d1']);
  });

  it('shows a change at once, loses none of several that follow one another, and takes back what is refused', async () => {
    const answers: (() => void)[] = [];
    const { host, store } = await openedStore({
      'conversations.update': ({ systemPrompt, title }) =>
        new Promise((resolve, reject) => {
          answers.push(() => (title === 'refused' ? reject(sampleFailure) : resolve(conversationOf('c1', { systemPrompt: systemPrompt ?? '', ...(title ? { title } : {}) }))));
        }),
    });
    const known = () => store.getState().conversations.find(({ id }) => id === 'c1');
    const first = store.getState().change('c1', { systemPrompt: 'first' });
    const second = store.getState().change('c1', { systemPrompt: 'second' });
    expect(known()?.systemPrompt).toBe('second');
    answers[0]();
    await first;
    // Everybody hears of the first one, too.
    host.send('conversation.changed', conversationOf('c1', { systemPrompt: 'first' }));
    expect(known()?.systemPrompt).toBe('second');
    answers[1]();
    await second;
    expect(known()?.systemPrompt).toBe('second');
    const refused = store.getState().change('c1', { title: 'refused' });
    expect(known()?.title).toBe('refused');
    answers[2]();
    await expect(refused).rejects.toBe(sampleFailure);
    expect(known()).toMatchObject({ title: conversationOf('c1').title, systemPrompt: 'second' });
  });

  it('leaves no empty conversation behind', async () => {
    const { host, store } = await openedStore({ 'conversations.create': () => conversationOf('c3'), 'conversations.remove': () => ({}) });
    store.getState().open(null);
    await store.getState().ensureOpen();
    store.getState().open('c1');
    expect(host.calls.at(-1)).not.toMatchObject({ params: { conversationId: 'c1', draft: '' } });
    expect(host.calls).toContainEqual({ method: 'conversations.remove', params: { conversationId: 'c3' } });
  });

  it('keeps a conversation that was begun from a summary, and has nothing else yet', async () => {
    const details = { kind: 'begun' as const, conversationId: 'c1', title: 'Before', summary: 'What was found.', turns: 1, turnsLeftOut: 0 };
    const { host, store } = await openedStore({ 'conversations.messages': () => [] });
    host.send('conversation.event', { id: 'e', conversationId: 'c2', afterMessageId: null, createdAtMs: 1, details });
    host.answers['conversations.events'] = () => [{ id: 'e', conversationId: 'c2', afterMessageId: null, createdAtMs: 1, details }];
    store.getState().open('c2');
    await settled();
    store.getState().open(null);
    expect(store.getState().conversations.map(({ id }) => id)).toContain('c2');
    expect(host.calls).not.toContainEqual({ method: 'conversations.remove', params: { conversationId: 'c2' } });
  });

  it('removes a conversation after the delay, unless it is restored', async () => {
    vi.useFakeTimers();
    const host = scriptedHost({ 'conversations.list': () => ({ conversations: [conversationOf('c1'), conversationOf('c2')], more: false }), 'folders.list': () => [], 'conversations.remove': () => ({}) });
    const store = createChatStore(host);
    host.open();
    await vi.advanceTimersByTimeAsync(0);
    store.getState().removeLater('c1', 1000);
    store.getState().removeLater('c2', 1000);
    store.getState().restore('c2');
    await vi.advanceTimersByTimeAsync(1000);
    expect(store.getState().conversations.map(({ id }) => id)).toEqual(['c2']);
    expect(store.getState().removing).toEqual([]);
    vi.useRealTimers();
  });

  it('keeps only the newest measure of the context', async () => {
    const replies: ((value: ContextMeter) => void)[] = [];
    const { store } = await openedStore({ 'chat.meter': () => new Promise((resolve) => replies.push(resolve)) });
    await settled();
    store.getState().scheduleMeter(0);
    await settled();
    expect(replies.length).toBeGreaterThanOrEqual(2);
    replies[1]({ ...meter, questionTokens: 7 });
    replies[0]({ ...meter, questionTokens: 3 });
    await settled();
    expect(store.getState().meters.c1.questionTokens).toBe(7);
  });

  it('remembers why the context could not be measured', async () => {
    const { store } = await openedStore({ 'chat.meter': () => Promise.reject(new Error('no model')) });
    await settled();
    expect(store.getState().meterFailures.c1).toMatchObject({ message: 'no model' });
  });

  it('forgets why a new chat could not be begun when there is nothing to count in it', async () => {
    const { store } = await openedStore({ 'conversations.create': () => Promise.reject(new Error('disk full')) });
    store.getState().open(null);
    store.getState().setDraft('new', 'Who?');
    await vi.waitUntil(() => 'new' in store.getState().meterFailures);
    store.getState().setDraft('new', '');
    await vi.waitUntil(() => !('new' in store.getState().meterFailures));
    expect(store.getState().activeId).toBeNull();
  });
});
