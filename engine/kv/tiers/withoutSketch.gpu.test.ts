import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { memorySource } from '../../formats/gguf/testing/memorySource.ts';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { loadModel, type LoadedModel } from '../../model.ts';
import { measuredChoices, openTestDevice } from '../../testing/device.ts';
import { tinyModel } from '../../testing/tinyModel.ts';
import type { Policy } from './policy.ts';

const contextTokens = 1024;
const random = seededRandom(9);
const tokens = Array.from({ length: 900 }, () => Math.floor(random() * 256));
const bytes = tinyModel({ architecture: 'llama', contextTokens, layers: 2 });

let device: Device;
let readback: Readback;
let plain: LoadedModel;
let tiered: LoadedModel;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
  plain = await loadModel(device, memorySource(bytes), { kvBudgetBytes: 1 << 30, choices: measuredChoices, contextTokens });
  tiered = await open(true);
});
afterAll(() => {
  for (const model of [plain, tiered]) model.free();
  device.destroy();
});

/** With a budget in which a sketch has no room. */
function open(mayLackSketch: boolean): Promise<LoadedModel> {
  const tiers = { gpuBudgetBytes: 620_000, ramBudgetBytes: 1 << 24, format: 'f16', disk: null, offload: 'always', largestShare: 1, mayLackSketch } as const;
  return loadModel(device, memorySource(bytes), { kvBudgetBytes: 1 << 30, choices: measuredChoices, contextTokens, tiers });
}

/** The logits after one more token, which follows the policy. */
async function next({ runner, sequence, spec }: LoadedModel): Promise<Float32Array> {
  await sequence.extend(tokens, { chunkTokens: 64 });
  await sequence.extend([...tokens, 7], { asDecoding: true });
  return readback.floats(runner.logits, 0, spec.vocabularySize);
}

const largest = (a: Float32Array, b: Float32Array): number => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

test('the plan has clusters alone, and half as many; where a sketch is needed, there is none', async () => {
  await expect(open(false)).rejects.toMatchObject({ code: 'kv-budget-too-small' });
  const { layout } = tiered.runner.far!.plan;
  expect(layout.planes).toBe(0);
});

test.each<Policy>([
  { name: 'full', budget: { share: 1 }, estimate: false },
  { name: 'clusters', budget: { share: 1 }, estimate: true },
  { name: 'flat', budget: { share: 1 }, estimate: true },
])('$name with an unlimited budget gives the logits of a cache on the GPU', async (policy) => {
  tiered.runner.far!.policy = policy;
  expect(largest(await next(tiered), await next(plain))).toBeLessThan(0.02);
  const { sealed, clusters } = tiered.runner.far!;
  expect(sealed).toBeGreaterThan(700);
  expect(clusters).toBe(sealed / 32);
});

test.each<Policy['misses']>(['strict', 'lagged', 'rolling'])('clusters with a small budget and %s misses count every key once', async (misses) => {
  const { far } = tiered.runner;
  far!.policy = { name: 'clusters', budget: { tokens: 20 }, estimate: true, misses };
  far!.report.reset();
  const found = await next(tiered);
  await far!.settleLagged();
  const { farKeys, exactKeys, estimatedKeys, droppedKeys } = far!.report.total;
  expect(exactKeys).toBeGreaterThan(0);
  expect(exactKeys + estimatedKeys).toBe(farKeys);
  expect(droppedKeys).toBe(0);
  expect(found.every(Number.isFinite)).toBe(true);
});

test('the policy that needs one is refused by name', async () => {
  tiered.runner.far!.policy = { name: 'sketch', budget: { tokens: 20 }, estimate: true };
  await expect(next(tiered)).rejects.toMatchObject({ code: 'internal', message: 'The policy “sketch” needs an index that this context was opened without.', remedy: 'Load the model again with this policy.' });
});
