import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { openAdapter } from './adapter.ts';
import { placeThreads, threadsNow } from './driverThreads.ts';

const reason = whyNot();
if (reason) console.log(`Placing threads is not tested here: ${reason}.`);

function whyNot(): string | null {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (availableParallelism() < 2) return 'there is one processor';
  try {
    execFileSync('taskset', ['--version']);
    return null;
  } catch {
    return 'there is no taskset';
  }
}

function processorsOf(thread: number): string {
  return /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`/proc/self/task/${thread}/status`, 'utf8'))![1];
}

/** Threads that may run on one processor only, by its number. */
function placed(threads: readonly number[]): string[] {
  return threads.map(processorsOf).filter((list) => /^\d+$/.test(list));
}

test.skipIf(reason)('threads that compute get a processor each, those that sleep stay free', async () => {
  const state = new Int32Array(new SharedArrayBuffer(4));
  const before = new Set(threadsNow());
  // Told to compute they do until they are told to stop; the third one never does.
  const program = `const { workerData: { state, idle }, parentPort } = require('node:worker_threads');
    parentPort.on('message', () => { if (!idle) while (Atomics.load(state, 0) === 1); parentPort.postMessage('done'); });`;
  const workers = [false, false, true].map((idle) => new Worker(program, { eval: true, workerData: { state, idle } }));
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.terminate()));
  });
  const compute = async (): Promise<void> => {
    Atomics.store(state, 0, 1);
    const done = workers.map((worker) => new Promise((resolve) => void worker.once('message', resolve)));
    for (const worker of workers) worker.postMessage('compute');
    await new Promise((resolve) => setTimeout(resolve, 60));
    Atomics.store(state, 0, 0);
    await Promise.all(done);
  };
  await compute();
  const threads = threadsNow().filter((thread) => !before.has(thread));
  expect(await placeThreads(threads, compute)).toBe(2);
  expect(new Set(placed(threads)).size).toBe(2);
  expect(placed(threads)).toHaveLength(2);
});

test.skipIf(reason)('nothing is placed where nothing computes, or where a thread is gone', async () => {
  const nothing = (): Promise<void> => Promise.resolve();
  expect(await placeThreads(threadsNow(), nothing)).toBe(0);
  expect(await placeThreads([2 ** 30, 2 ** 30 + 1], nothing)).toBe(0);
});

test.skipIf(reason)('an adapter that computes on the processor does so on one thread a processor', async () => {
  const before = new Set(threadsNow());
  const device = await openAdapter({ boundsChecks: false });
  const own = placed(threadsNow().filter((thread) => !before.has(thread)));
  device.destroy();
  if (device.facts.kind !== 'software') return expect(own).toEqual([]);
  expect(new Set(own).size).toBe(own.length);
  expect(own.length).toBeGreaterThanOrEqual(2);
});
