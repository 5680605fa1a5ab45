import { expect, test } from 'vitest';
import { type HostConnection, serveContract } from './contractServer.ts';
import { HostEvents } from './events.ts';
import type { Handlers } from './handlers.ts';
import { eventually } from './testing/eventually.ts';
import { fuzzContract } from './testing/contractFuzz.ts';
import { openTestHost } from './testing/openTestHost.ts';

function openConnection() {
  const sent: unknown[] = [];
  const state = { bufferedBytes: 0, closed: false };
  const listeners: ((message: unknown) => void)[] = [];
  const connection: HostConnection = {
    send: (message) => sent.push(message),
    onMessage: (listener) => listeners.push(listener),
    onClose: () => {},
    close: () => {
      state.closed = true;
    },
    bufferedBytes: () => state.bufferedBytes,
  };
  return { connection, sent, state, receive: (message: unknown) => listeners.forEach((listener) => listener(message)) };
}

test.each([
  [{ kind: 'call', id: 1, method: 'nothing', params: {} }, 'There is no method “nothing”.'],
  [{ kind: 'call', id: 1, method: 'constructor', params: {} }, 'There is no method “constructor”.'],
  [{ kind: 'call', id: 1, method: 'models.verify', params: { modelId: '../x' } }, /^The request was not valid: .*\(modelId\)\.$/],
  [{ kind: 'call', id: 1, method: 'app.status', params: { extra: 1 } }, /^The request was not valid: /],
  [{ kind: 'call', id: 1, method: 'models.verify', params: null }, /^The request was not valid: /],
  [{ kind: 'order', id: 1 }, /^The request was not valid: /],
  [{ kind: 'call', id: 1, method: 'models.verify', params: { modelId: 'gone' } }, 'There is no model “gone” here.'],
])('a bad call is answered with a failure, never thrown: %j', async (message, expected) => {
  const host = await openTestHost();
  const { connection, sent, receive } = openConnection();
  serveContract(connection, host.handlers, host.events);
  receive(message);
  await eventually(() => sent.length === 1);
  expect(sent[0]).toMatchObject({ kind: 'failure', id: 1, failure: { message: expect.stringMatching(expected) } });
});

test.each(['text', null, 7, [], { kind: 'call', id: -1, method: 'a' }])('what is no call at all is answered too: %j', async (message) => {
  const { connection, sent, receive } = openConnection();
  serveContract(connection, {} as Handlers, new HostEvents());
  receive(message);
  await eventually(() => sent.length === 1);
  expect(sent[0]).toMatchObject({ kind: 'failure', failure: { code: 'bad-request' } });
});

test('an unexpected error inside the host is told without ending anything', async () => {
  const { connection, sent, receive } = openConnection();
  const handlers = {
    'models.list': () => {
      throw new TypeError('cannot read properties');
    },
  } as unknown as Handlers;
  serveContract(connection, handlers, new HostEvents());
  receive({ kind: 'call', id: 3, method: 'models.list', params: {} });
  await eventually(() => sent.length === 1);
  expect(sent[0]).toEqual({
    kind: 'failure',
    id: 3,
    failure: {
      code: 'internal',
      message: 'Something went wrong inside Longleaf: cannot read properties.',
      remedy: 'Try again; if it happens again, please report it with this message.',
    },
  });
});

test('a slow reader misses what later events make up for, nothing else; a stuck one is closed', () => {
  const { connection, sent, state } = openConnection();
  const events = new HostEvents();
  serveContract(connection, {} as Handlers, events);
  const delta = { conversationId: 'c', messageId: 'm', offset: 0, text: 'x' };
  events.emit('answer.delta', delta);
  state.bufferedBytes = 9_000_000;
  events.emit('answer.delta', delta);
  events.emit('conversation.removed', { conversationId: 'c' });
  expect(sent.map((message) => (message as { name: string }).name)).toEqual(['answer.delta', 'conversation.removed']);
  expect(state.closed).toBe(false);
  state.bufferedBytes = 600_000_000;
  events.emit('conversation.removed', { conversationId: 'c' });
  expect(state.closed).toBe(true);
  expect(sent.length).toBe(2);
});

test('random messages: each is answered, none ends the host, nothing invalid reaches a handler', async () => {
  const host = await openTestHost();
  const outcome = await fuzzContract(host, 20_261_129, 4000);
  expect(outcome.problems).toEqual([]);
  // The messages are worth something only where a good part of them gets through.
  expect(outcome.accepted).toBeGreaterThan(800);
  expect(outcome.succeeded).toBeGreaterThan(300);
  expect(outcome.refused).toBeGreaterThan(1500);
}, 30_000);
