/** Host and GPU worker as people run them: bundled, in processes of their own. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Failure, GpuMemory } from '../contract/entities.ts';
import { type WorkerEnd, WorkerProcess } from '../worker/workerProcess.ts';

export const buildWorker = (): string => built('gpu-worker.js');
export const buildHost = (): string => built('host.js');

/** Builds what has newer sources. */
function built(name: string): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'pipe' });
  return fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));
}

export interface StartedWorker {
  process: WorkerProcess;
  /** Resolves when it is gone. */
  ended: Promise<WorkerEnd>;
  /** Devices that it said were lost. */
  losses: Failure[];
  /** What it said last that it takes of the GPU. */
  memory(): GpuMemory | null;
}

/** Resolves when its adapter is open. */
export async function startWorker(entry: string, environment: NodeJS.ProcessEnv): Promise<StartedWorker> {
  let end: (end: WorkerEnd) => void;
  const ended = new Promise<WorkerEnd>((resolve) => (end = resolve));
  const losses: Failure[] = [];
  let latest: GpuMemory | null = null;
  const opened = await new Promise<WorkerProcess>((resolve, reject) => {
    const started = new WorkerProcess(
      { entry, environment: { ...process.env, ...environment }, pingEveryMs: 1000, hangAfterMs: 120_000, startWithinMs: 120_000 },
      {
        onReady: () => resolve(started),
        onMemory: (memory) => void (latest = memory),
        onDeviceLost: (failure) => void losses.push(failure),
        onExit: (how) => {
          end(how);
          // A test kills; what ends by itself says why.
          if (how.cause !== 'asked' && how.reason !== 'signal SIGKILL') console.error(`the worker ended: ${how.reason}\n${how.lastWords}`);
          reject(new Error(`the worker ended: ${how.reason}\n${how.lastWords}`));
        },
      },
    );
  });
  return { process: opened, ended, losses, memory: () => latest };
}
