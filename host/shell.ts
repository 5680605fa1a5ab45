/** The host under Electron: the same contract, relayed by Electron main over Node's IPC channel. */
import { type ShellReply, shellRequest } from './contract/shell.ts';
import type { LogFile } from './diagnostics/logFile.ts';
import { toFailure } from './errors.ts';
import type { HostOptions } from './host.ts';
import { followJobs } from './jobs.ts';
import { ShellVault } from './secrets/shellVault.ts';
import { appVersion } from './locations.ts';
import { MovingHost } from './moving/movingHost.ts';
import { ShellWindow } from './shellWindow.ts';

/** Electron has died: a person who starts it again must not wait until the worker has done what nobody wants any more. */
const desertedWorkerWithinMs = 200;

export async function runShell(options: HostOptions): Promise<void> {
  if (!process.send) throw new Error('shell is started by Electron, over an IPC channel');
  const vault = new ShellVault(send);
  // Whoever started it may be gone before it is open: then nothing is under way that would have to end first.
  const goAtOnce = () => process.exit(0);
  process.on('disconnect', goAtOnce);
  if (!process.connected) goAtOnce();
  let hosts: MovingHost;
  try {
    hosts = await MovingHost.open({ ...options, vault, takesPaths: false, besideWindow: true });
  } catch (error) {
    await sendAndWait({ kind: 'fatal', failure: toFailure(error) });
    process.exitCode = 1;
    process.off('disconnect', goAtOnce);
    process.disconnect?.();
    return;
  }
  let log: LogFile | undefined;
  process.on('uncaughtExceptionMonitor', (error) => log?.note('host', 'crashed', error.stack ?? error.message));
  hosts.onHost((host) => {
    log = host.log;
    log.note('host', 'started', `version ${appVersion()}`);
    followJobs(host.events, send);
  });
  const windows = new Map<number, ShellWindow>();
  let ending = false;
  const end = async (workerWithinMs?: number) => {
    if (ending) return;
    ending = true;
    log?.note('host', 'ends');
    await hosts.close(workerWithinMs);
    process.exit(0);
  };
  process.off('disconnect', goAtOnce);
  process.on('disconnect', () => void end(desertedWorkerWithinMs));
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
        hosts.connect(window);
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
        power(hosts, request.asleep);
        return;
      case 'register-file':
        void registerFile(hosts, request.requestId, request.path);
        return;
      case 'vault':
        vault.settle(request);
        return;
      case 'quit':
        void end();
    }
  });
  hosts.begin();
  send({ kind: 'ready' });
}

/** A move of the data folder has stopped readings already. */
function power(hosts: MovingHost, asleep: boolean): void {
  if (!hosts.isOpen) return;
  const { readings } = hosts.current();
  if (asleep) readings.sleep();
  else readings.wake();
}

async function registerFile(hosts: MovingHost, requestId: number, path: string): Promise<void> {
  try {
    send({ kind: 'file', requestId, fileId: await hosts.current().files.registerPath(path) });
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
