/** A host as Electron starts it, in a process of its own that tests may kill. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { ContractClient } from '../contract/client.ts';
import { shellReply, type ShellRequest } from '../contract/shell.ts';
import { scriptedWorkerPath } from './scriptedWorkerPath.ts';

export interface ShellProcess {
  readonly child: ChildProcess;
  /** When it takes windows; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** A window's port, as Electron main relays it. */
  openWindow(connectionId: number): ContractClient;
  send(request: ShellRequest): void;
  /** Ends it in the middle of whatever it does; resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** `program`: a bundle of host/main.ts, which starts several times sooner than its sources. Resolves when it is ready. */
export async function startShellProcess(program: string, dataFolder: string, environment: NodeJS.ProcessEnv = {}): Promise<ShellProcess> {
  const shell = launchShellProcess(program, dataFolder, environment);
  await shell.ready;
  return shell;
}

export function launchShellProcess(program: string, dataFolder: string, environment: NodeJS.ProcessEnv = {}): ShellProcess {
  const child = fork(program, ['shell', '--data', dataFolder], {
    env: { ...process.env, LONGLEAF_WORKER: scriptedWorkerPath, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const send = (request: ShellRequest) => {
    if (child.connected) child.send(request, () => undefined);
  };
  const ready = new Promise<void>((resolve, reject) => {
    child.on('message', (message) => {
      const reply = shellReply.parse(message);
      if (reply.kind === 'ready') resolve();
      if (reply.kind === 'fatal') reject(new Error(`${reply.failure.message} ${reply.failure.remedy}`));
    });
    child.once('exit', (status) => reject(new Error(`the host ended with status ${status} before it was ready`)));
  });
  // Whoever waits for it hears of it.
  ready.catch(() => undefined);
  return {
    child,
    ready,
    send,
    openWindow: (connectionId) => {
      send({ kind: 'connect', connectionId });
      return new ContractClient({
        send: (message) => send({ kind: 'contract', connectionId, message }),
        onMessage: (listener) =>
          child.on('message', (message) => {
            const relayed = shellReply.parse(message);
            if (relayed.kind === 'contract' && relayed.connectionId === connectionId) listener(relayed.message);
          }),
        onClose: (listener) => child.once('exit', listener),
        close: () => send({ kind: 'disconnect', connectionId }),
      });
    },
    kill: async (signal = 'SIGKILL') => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
  };
}
