import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { ContractClient } from './contract/client.ts';
import { type ShellReply, type ShellRequest, shellReply } from './contract/shell.ts';
import { buildHost } from './testing/builtWorker.ts';
import { eventually } from './testing/eventually.ts';
import { openTestHost } from './testing/openTestHost.ts';
import { scriptedWorkerPath } from './testing/scriptedWorkerPath.ts';
import { temporaryFolder } from './testing/temporaryFolder.ts';

let entry: string;
beforeAll(() => {
  entry = buildHost();
}, 120_000);

function startShell(dataFolder: string) {
  const child: ChildProcess = fork(entry, ['shell', '--data', dataFolder], {
    env: { ...process.env, LONGLEAF_WORKER: scriptedWorkerPath },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const replies: ShellReply[] = [];
  child.on('message', (message) => replies.push(shellReply.parse(message)));
  const send = (request: ShellRequest) => child.send(request);
  const reply = <K extends ShellReply['kind']>(kind: K) =>
    eventually(() => replies.find((found): found is Extract<ShellReply, { kind: K }> => found.kind === kind), 60_000);
  /** A window's port, as Electron main relays it. */
  const openWindow = (connectionId: number) => {
    send({ kind: 'connect', connectionId });
    return new ContractClient({
      send: (message) => send({ kind: 'contract', connectionId, message }),
      onMessage: (listener) =>
        child.on('message', (message) => {
          const relayed = shellReply.parse(message);
          if (relayed.kind === 'contract' && relayed.connectionId === connectionId) listener(relayed.message);
        }),
      onClose: () => {},
      close: () => send({ kind: 'disconnect', connectionId }),
    });
  };
  return { child, replies, send, reply, openWindow };
}

test('two windows share one host; files are known by id; quitting is orderly', { timeout: 120_000 }, async () => {
  const folder = temporaryFolder();
  const { child, send, reply, replies, openWindow } = startShell(join(folder, 'data'));
  await reply('ready');
  const [first, second] = [openWindow(1), openWindow(2)];
  const heard = new Promise((resolve) => second.on('settings.changed', resolve));
  expect(await first.call('settings.update', { theme: 'dark' })).toMatchObject({ theme: 'dark' });
  expect(await heard).toMatchObject({ theme: 'dark' });

  const path = join(folder, 'story.txt');
  writeFileSync(path, 'Once upon a time.');
  send({ kind: 'register-file', requestId: 7, path });
  const { requestId, fileId } = await reply('file');
  expect(requestId).toBe(7);
  expect(await first.call('documents.add', { fileId })).toMatchObject({ name: 'story.txt', characters: 17 });
  send({ kind: 'register-file', requestId: 8, path: join(folder, 'gone.txt') });
  expect(await reply('file-failed')).toMatchObject({ requestId: 8, failure: { message: '“gone.txt” cannot be opened (ENOENT).' } });

  send({ kind: 'disconnect', connectionId: 2 });
  // What was on its way to the second window when it closed is here when a later call is answered.
  await first.call('app.status', {});
  const before = replies.length;
  await first.call('settings.update', { theme: 'light' });
  expect(replies.slice(before).every((found) => found.kind !== 'contract' || found.connectionId === 1)).toBe(true);

  send({ kind: 'quit' });
  expect(await once(child, 'exit')).toEqual([0, null]);
  await openTestHost({ dataFolder: join(folder, 'data') });
});

test('a data folder in use is fatal, and says why', { timeout: 120_000 }, async () => {
  const host = await openTestHost();
  const { child, reply } = startShell(host.folder.root);
  const exited = once(child, 'exit');
  expect((await reply('fatal')).failure.code).toBe('data-folder-in-use');
  expect(await exited).toEqual([1, null]);
});

test('the host ends when Electron does', { timeout: 120_000 }, async () => {
  const { child, reply } = startShell(join(temporaryFolder(), 'data'));
  await reply('ready');
  const exited = once(child, 'exit');
  child.disconnect();
  expect(await exited).toEqual([0, null]);
});

test('the host ends when Electron has died before the host was open', { timeout: 120_000 }, async () => {
  const { child } = startShell(join(temporaryFolder(), 'data'));
  const exited = once(child, 'exit');
  child.disconnect();
  expect(await exited).toEqual([0, null]);
});

test('after Electron died the next host waits for the one that is still ending', { timeout: 120_000 }, async () => {
  const dataFolder = join(temporaryFolder(), 'data');
  const first = startShell(dataFolder);
  await first.reply('ready');
  const exited = once(first.child, 'exit');
  // It has not noticed yet that it is alone.
  first.child.kill('SIGSTOP');
  first.child.disconnect();
  const second = startShell(dataFolder);
  await pause(1500);
  first.child.kill('SIGCONT');
  await second.reply('ready');
  await exited;
  expect(second.replies.map(({ kind }) => kind)).not.toContain('fatal');
});
