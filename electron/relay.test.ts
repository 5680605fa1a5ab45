import { EventEmitter } from 'node:events';
import type { MessagePortMain } from 'electron';
import { expect, test } from 'vitest';
import type { ShellRequest } from '../host/contract/shell.ts';
import { FileRegistry } from './files.ts';
import { Relay } from './relay.ts';

class FakePort extends EventEmitter {
  readonly posted: unknown[] = [];
  closed = false;
  postMessage(message: unknown): void {
    this.posted.push(message);
  }
  start(): void {}
  close(): void {
    this.closed = true;
    this.emit('close');
  }
}

const said = (message: unknown) => ({ data: { kind: 'message', message } });

function relayWithLog() {
  const sent: ShellRequest[] = [];
  const relay = new Relay((request) => {
    JSON.stringify(request);
    sent.push(request);
  });
  const connect = () => {
    const port = new FakePort();
    relay.connect(port as unknown as MessagePortMain);
    return port;
  };
  return { relay, sent, connect };
}

test('carries messages both ways, each connection by its number', () => {
  const { relay, sent, connect } = relayWithLog();
  const first = connect();
  const second = connect();
  second.emit('message', said('question'));
  second.emit('message', { data: { kind: 'taken', messages: 3 } });
  relay.deliver(0, 'for the first');
  relay.deliver(1, 'for the second');
  relay.deliver(2, 'for nobody');
  expect(sent).toEqual([
    { kind: 'connect', connectionId: 0 },
    { kind: 'connect', connectionId: 1 },
    { kind: 'contract', connectionId: 1, message: 'question' },
    { kind: 'taken', connectionId: 1, messages: 3 },
  ]);
  expect(first.posted).toEqual([{ kind: 'message', message: 'for the first' }]);
  expect(second.posted).toEqual([{ kind: 'message', message: 'for the second' }]);
});

test('a page that goes away is disconnected once', () => {
  const { relay, sent, connect } = relayWithLog();
  const port = connect();
  port.close();
  port.emit('close');
  relay.deliver(0, 'late');
  expect(sent.slice(1)).toEqual([{ kind: 'disconnect', connectionId: 0 }]);
  expect(port.posted).toEqual([]);
});

test('when the host ends, every port hears of it and nothing more is sent for it', () => {
  const { relay, sent, connect } = relayWithLog();
  const port = connect();
  relay.closeAll();
  port.emit('message', said('too late'));
  expect(port.posted).toEqual([{ kind: 'closed' }]);
  expect(port.closed).toBe(true);
  expect(sent).toEqual([{ kind: 'connect', connectionId: 0 }]);
});

const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;

test.each([
  ['a big integer', said({ id: 1n })],
  ['a cycle', said(cycle)],
  ['no frame', { data: 'hello' }],
  ['a frame of no kind', { data: { kind: 'quit' } }],
  ['a count that is none', { data: { kind: 'taken', messages: -1 } }],
])('%s ends the connection of the page that sent it, and no other', (_name, message) => {
  const { relay, sent, connect } = relayWithLog();
  const [bad, good] = [connect(), connect()];
  bad.emit('message', message);
  bad.emit('message', said('more'));
  good.emit('message', said('question'));
  relay.deliver(0, 'late');
  expect(bad.posted).toEqual([{ kind: 'closed' }]);
  expect(bad.closed).toBe(true);
  expect(good.closed).toBe(false);
  expect(sent.slice(2)).toEqual([
    { kind: 'disconnect', connectionId: 0 },
    { kind: 'contract', connectionId: 1, message: 'question' },
  ]);
});

test('a page that sends more than the host takes loses its connection', () => {
  const taken: (() => void)[] = [];
  const relay = new Relay((_request, done) => done && taken.push(done));
  const port = new FakePort();
  relay.connect(port as unknown as MessagePortMain);
  for (let index = 0; index < 4096; index += 1) port.emit('message', said(index));
  for (const done of taken.splice(0)) done();
  for (let index = 0; index < 4096; index += 1) port.emit('message', said(index));
  expect(port.closed).toBe(false);
  port.emit('message', said('one too many'));
  expect(port.closed).toBe(true);
});

test('files are registered by path and known by id; failures are in the host’s words', async () => {
  const sent: ShellRequest[] = [];
  const files = new FileRegistry((request) => sent.push(request));
  const book = files.register('/books/Middlemarch.txt');
  const folder = files.register('/books');
  const lost = files.register('/books/lost.txt');
  files.settle({ kind: 'file-failed', requestId: 1, failure: { code: 'not-a-file', message: 'This is a folder.', remedy: 'Choose a file.' } });
  files.settle({ kind: 'file', requestId: 0, fileId: 'abc' });
  files.rejectAll();
  await expect(book).resolves.toEqual({ fileId: 'abc', name: 'Middlemarch.txt' });
  await expect(folder).rejects.toThrow('This is a folder. Choose a file.');
  await expect(lost).rejects.toThrow('“lost.txt” could not be opened');
  expect(sent.map((request) => request.kind)).toEqual(['register-file', 'register-file', 'register-file']);
});
