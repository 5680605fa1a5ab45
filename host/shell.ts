/** The host under Electron: the same contract, relayed by Electron main over Node's IPC channel. */
import { serveContract } from './contractServer.ts';
import { type ShellReply, shellRequest } from './contract/shell.ts';
import { toFailure } from './errors.ts';
import { type Host, type HostOptions, openHost } from './host.ts';
import { followJobs } from './jobs.ts';
import { ShellVault } from './secrets/shellVault.ts';
import { appVersion } from './locations.ts';
import { ShellWindow } from './shellWindow.ts';

export async function runShell(options: HostOptions): Promise<void> {
  if (!process.send) throw new Error('shell is started by Electron, over an IPC channel');
  const vault = new ShellVault(send);
  let host: Host;
  try {
    host = await openHost({ ...options, vault });
  } catch (error) {
    await sendAndWait({ kind: 'fatal', failure: toFailure(error) });
    process.exitCode = 1;
    process.disconnect?.();
    return;
  }
  process.on('uncaughtExceptionMonitor', (error) => host.log.note('host', 'crashed', error.stack ?? error.message));
  host.log.note('host', 'started', `version ${appVersion()}`);
  const windows = new Map<number, ShellWindow>();
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    host.log.note('host', 'ends');
    await host.close();
    process.exit(0);
  };
  process.on('disconnect', () => void end());
  process.on('SIGTERM', () => void end());
  process.on('SIGINT', () => void end());
  process.on('message', (message) => {
    const parsed = shellRequest.safeParse(message);
    if (!parsed.success) return;
    const request = parsed.data;
    switch (request.kind) {
      case 'connect': {
        const window = new ShellWindow(request.connectionId, send);
        windows.set(request.connectionId, window);
        serveContract(window, host.handlers, host.events);
        return;
      }
      case 'contract':
        windows.get(request.connectionId)?.receive(request.message);
        return;
      case 'disconnect':
        windows.get(request.connectionId)?.disconnected();
        windows.delete(request.connectionId);
        return;
      case 'taken':
        windows.get(request.connectionId)?.taken(request.messages);
        return;
      case 'ping':
        send({ kind: 'pong' });
        return;
      case 'power':
        if (request.asleep) host.readings.sleep();
        else host.readings.wake();
        return;
      case 'register-file':
        void registerFile(host, request.requestId, request.path);
        return;
      case 'vault':
        vault.settle(request);
        return;
      case 'quit':
        void end();
    }
  });
  followJobs(host.events, send);
  host.begin();
  send({ kind: 'ready' });
}

async function registerFile(host: Host, requestId: number, path: string): Promise<void> {
  try {
    send({ kind: 'file', requestId, fileId: await host.files.registerPath(path) });
  } catch (error) {
    send({ kind: 'file-failed', requestId, failure: toFailure(error) });
  }
}

function send(reply: ShellReply, sent: () => void = () => undefined): void {
  process.send?.(reply, undefined, undefined, () => sent());
}

function sendAndWait(reply: ShellReply): Promise<void> {
  return new Promise((resolve) => send(reply, resolve));
}
