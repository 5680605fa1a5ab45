import { expect, test } from 'vitest';
import { defaultKvSetting } from '../contract/policy.ts';
import { buildWorker, startWorker } from '../testing/builtWorker.ts';
import { makeScene } from '../testing/memoryScene.ts';
import { timelineResult } from './protocol.ts';

const contextTokens = 4096;

/** Everything on the GPU; and as little there as can be. */
test.each(['needed', 'always'] as const)('a chunk and a token are traced kernel by kernel, with keys beyond the GPU %s', async (offload) => {
  const scene = makeScene();
  const worker = await startWorker(buildWorker(), scene.environment);
  const { process } = worker;
  await process.run({ kind: 'load', path: scene.modelPath, contextTokens, kv: { ...defaultKvSetting, offload }, boundsChecks: false });
  const trace = async () => timelineResult.parse(await process.run({ kind: 'timeline', promptTokens: 512 })).steps ?? [];
  const steps = await trace();
  expect(steps.map(({ phase }) => phase)).toEqual(['reading', 'decoding']);
  for (const { kernels } of steps) {
    expect(kernels.length).toBeGreaterThan(4);
    for (const [index, { startMs, ms }] of kernels.entries()) {
      expect(ms).toBeGreaterThanOrEqual(0);
      if (index > 0) expect(startMs).toBeGreaterThanOrEqual(kernels[index - 1].startMs);
    }
  }
  expect(steps[1]).toMatchObject({ tokens: 1, atToken: 512 });
  expect(steps[1].kernels.map(({ name }) => name)).toContain('logits');
  // It leaves nothing behind that the next one would stumble over.
  expect((await trace()).map(({ kernels }) => kernels.length)).toEqual(steps.map(({ kernels }) => kernels.length));
  await process.quit(10_000);
}, 240_000);
