/** One start of Longleaf, to be killed at any moment; and the process of the host alone, as Electron main starts it. */
import { once } from 'node:events';
import { type ContractClient, ContractError } from '../../contract/client.ts';
import { childrenOf, commandOf } from '../childrenOf.ts';
import { eventually } from '../eventually.ts';
import { launchShellProcess } from '../shellProcess.ts';

/** A window's connection. */
export interface Window {
  client: ContractClient;
  /** When the other end is gone. */
  closed: Promise<unknown>;
}

export interface Life {
  /** What a person starts: the host alone, or Electron with the host beside it. */
  readonly root: 'host' | 'main';
  readonly processId: number;
  hostProcessId(): number | undefined;
  /** Once somebody takes it. */
  connect(): Promise<Window>;
  /** Ends it in an orderly way. */
  quit(): Promise<void>;
  /** Resolves when the process that was started is gone. */
  kill(): Promise<void>;
}

export type StartLife = (dataFolder: string) => Life;

export function hostLives(program: string, environment: NodeJS.ProcessEnv = {}): StartLife {
  return (dataFolder) => {
    const shell = launchShellProcess(program, dataFolder, environment);
    const processId = shell.child.pid ?? -1;
    const closed = once(shell.child, 'exit');
    let windows = 0;
    return {
      root: 'host',
      processId,
      hostProcessId: () => processId,
      connect: async () => {
        await shell.ready;
        windows += 1;
        return { client: shell.openWindow(windows), closed };
      },
      quit: async () => {
        shell.send({ kind: 'quit' });
        await closed;
      },
      kill: () => shell.kill(),
    };
  };
}

export function workerProcessId(life: Life): number | undefined {
  return childrenOf(life.hostProcessId() ?? -1).find((child) => /gpu-worker|scriptedWorker/.test(commandOf(child)));
}

export const firstPage = { folderId: null, before: null, limit: 50 };
const usableWithinMs = 60_000;

/** Resolves as soon as the contract lists conversations; a host that is being started again meanwhile is waited for. */
export function usable(life: Life): Promise<Window> {
  return eventually(async () => {
    const window = await life.connect();
    try {
      await window.client.call('conversations.list', firstPage);
      return window;
    } catch (error) {
      if (isHostGone(error) && life.root === 'main') return null;
      throw error;
    }
  }, usableWithinMs);
}

export function isHostGone(error: unknown): boolean {
  return error instanceof ContractError && error.failure.code === 'host-gone';
}
