import { expect, test } from 'vitest';
import { serveContract } from './contractServer.ts';
import type { ShellReply } from './contract/shell.ts';
import { HostEvents } from './events.ts';
import type { Handlers } from './handlers.ts';
import { ShellWindow } from './shellWindow.ts';

const megabyte = 'x'.repeat(1_000_000);

function openWindow() {
  const sent: ShellReply[] = [];
  const events = new HostEvents();
  const window = new ShellWindow(7, (reply) => sent.push(reply));
  serveContract(window, {} as Handlers, events);
  const write = (offset: number, text = megabyte) => events.emit('answer.delta', { conversationId: 'c', messageId: 'm', offset, text });
  return { sent, events, window, write };
}

test('a window that takes nothing gets 8 MB of what can be made up for, and goes on when it has taken some', () => {
  const { sent, window, write } = openWindow();
  for (let index = 0; index < 50; index += 1) write(index);
  expect(sent).toHaveLength(8);
  window.taken(3);
  write(50);
  expect(sent).toHaveLength(9);
  window.taken(1_000_000);
  expect(window.bufferedBytes()).toBe(0);
});

test('what cannot be made up for is sent all the same, up to half a gigabyte; then the window has to connect again', () => {
  const { sent, events } = openWindow();
  const large = 'x'.repeat(20_000_000);
  const say = () => events.emit('conversation.changed', { title: large } as never);
  for (let index = 0; index < 40; index += 1) say();
  expect(sent.filter(({ kind }) => kind === 'contract')).toHaveLength(26);
  expect(sent.at(-1)).toEqual({ kind: 'closed', connectionId: 7 });
  expect(sent.filter(({ kind }) => kind === 'closed')).toHaveLength(1);
});

test('a window that has gone is sent nothing', () => {
  const { sent, window, write } = openWindow();
  window.disconnected();
  write(0);
  window.receive({ kind: 'call' });
  expect(sent).toEqual([]);
});
