import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { type WorkerEnd, WorkerProcess } from './workerProcess.ts';

function endOf(program: string): Promise<WorkerEnd> {
  const entry = join(temporaryFolder(), 'worker.mjs');
  writeFileSync(entry, program);
  const options = { entry, environment: process.env, pingEveryMs: 1000, hangAfterMs: 60_000, startWithinMs: 60_000 };
  const nothing = (): void => undefined;
  return new Promise((resolve) => {
    const worker = new WorkerProcess(options, { onReady: nothing, onMemory: nothing, onDeviceLost: nothing, onExit: resolve });
    expect(worker.pid).toBeGreaterThan(0);
  });
}

test('what a worker says as it dies is heard to its end', async () => {
  // More than is read at a time, and all of it within what a pipe holds.
  const end = await endOf(`import { writeSync } from 'node:fs';
    writeSync(2, 'x'.repeat(60_000) + 'double free or corruption');
    process.abort();`);
  expect(end).toMatchObject({ reason: 'signal SIGABRT', cause: 'died' });
  expect(end.lastWords).toContain('double free or corruption');
});

test('a child that keeps the streams of a dead worker open keeps nobody waiting', async () => {
  const startMs = performance.now();
  const end = await endOf(`import { spawn } from 'node:child_process';
    spawn('sleep', ['20'], { stdio: ['ignore', 'inherit', 'inherit'], detached: true }).unref();
    process.stderr.write('gone', () => process.kill(process.pid, 'SIGKILL'));`);
  expect(end).toMatchObject({ reason: 'signal SIGKILL', lastWords: 'gone' });
  expect(performance.now() - startMs).toBeLessThan(10_000);
});
