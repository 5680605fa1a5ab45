/** Models come and go in a worker that stays: what they take goes with them. bench/soak.ts does the same for a day. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import { defaultSampling } from '../contract/entities.ts';
import { defaultKvSetting } from '../contract/policy.ts';
import { buildWorker, startWorker } from '../testing/builtWorker.ts';
import { eventually } from '../testing/eventually.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { generateResult } from './protocol.ts';

const nothing = { weightsBytes: 0, kvBytes: 0, activationsBytes: 0, stagingBytes: 0, totalBytes: 0 };

/** Open files, sockets and pipes, and threads, where the system tells (Linux). */
function heldBy(processId: number): { handles: number; threads: number } {
  if (process.platform !== 'linux') return { handles: 0, threads: 0 };
  const threads = Number(/^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1]);
  return { handles: readdirSync(`/proc/${processId}/fd`).length, threads };
}

test('nothing of a model stays on the GPU, and no handle and no thread stays open, with a lost device in between', async () => {
  const worker = await startWorker(buildWorker(), { LONGLEAF_CACHE: temporaryFolder(), LONGLEAF_TEST_DEVICE_LOSS: '1' });
  onTestFinished(() => worker.process.quit(4000));
  const folder = temporaryFolder();
  const paths = (['llama', 'gemma3'] as const).map((architecture) => {
    const path = join(folder, `${architecture}.gguf`);
    writeFileSync(path, tinyModel({ architecture, layers: 2 }));
    return path;
  });
  const load = (path: string) => worker.process.run({ kind: 'load', path, contextTokens: 256, kv: defaultKvSetting, boundsChecks: false });
  const use = async (path: string): Promise<void> => {
    await load(path);
    const answer = generateResult.parse(await worker.process.run({ kind: 'generate', prompt: { kind: 'raw', text: 'The quick brown fox' }, sampling: { ...defaultSampling, maxTokens: 4 }, stop: [] }));
    expect(answer.statistics.answerTokens).toBeGreaterThan(0);
    expect(worker.memory()?.weightsBytes).toBeGreaterThan(0);
    await worker.process.run({ kind: 'unload' });
    expect(worker.memory()).toEqual(nothing);
  };
  for (const path of paths) await use(path);
  const before = heldBy(worker.process.pid);
  for (const path of [...paths, ...paths]) await use(path);
  expect(heldBy(worker.process.pid)).toEqual(before);

  await load(paths[0]);
  process.kill(worker.process.pid, 'SIGUSR2');
  await eventually(() => worker.losses.length === 1);
  for (const path of paths) await use(path);
  expect(heldBy(worker.process.pid).handles).toBeLessThanOrEqual(before.handles);
});
