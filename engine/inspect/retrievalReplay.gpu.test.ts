import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { memorySource } from '../formats/gguf/testing/memorySource.ts';
import { seededRandom } from '../formats/quantisation/testing/seededRandom.ts';
import type { Policy } from '../kv/tiers/policy.ts';
import { loadModel, type LoadedModel } from '../model.ts';
import { sinkTokens } from '../retrieval/layout.ts';
import { measuredChoices, openTestDevice } from '../testing/device.ts';
import { tinyModel } from '../testing/tinyModel.ts';
import { replayRetrieval, type RetrievalReplay } from './retrievalReplay.ts';

const random = seededRandom(5);
const tokens = Array.from({ length: 880 }, () => Math.floor(random() * 256));
const firstRow = 872;

let device: Device;
let readback: Readback;
let model: LoadedModel;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
  const tiers = { gpuBudgetBytes: 1 << 26, ramBudgetBytes: 1 << 28, format: 'f16', disk: null, offload: 'always', largestShare: 1 } as const;
  model = await loadModel(device, memorySource(tinyModel({ architecture: 'llama', contextTokens: 1024, layers: 2 })), { contextTokens: 1024, kvBudgetBytes: 1 << 28, choices: measuredChoices, tiers });
});
afterAll(() => {
  model.free();
  device.destroy();
});

async function replayed(policy: Policy, samples = 4): Promise<RetrievalReplay> {
  const { runner, sequence } = model;
  if (runner.far) runner.far.policy = policy;
  const replay = await replayRetrieval({ device, runner, sequence, readback }, { tokens, firstRow, samples });
  if (!replay) throw new Error('nothing is beyond the GPU');
  return replay;
}

const sum = (values: Float32Array): number => values.reduce((all, value) => all + value, 0);

test('what was not chosen has the weight that is missing from what was', async () => {
  const { steps, sampledSteps, sealed, returned, best, missed, policy, onGpu, inRam } = await replayed({ name: 'sketch', budget: { tokens: 24 }, estimate: false });
  expect([policy, steps.length, sampledSteps]).toEqual(['sketch', tokens.length - 1 - firstRow, 4]);
  const masses = steps.flatMap(({ mass }) => (mass === null ? [] : [mass]));
  expect(masses.length).toBe(4);
  expect(sum(missed)).toBeCloseTo(1 - masses.reduce((all, mass) => all + mass, 0) / 4, 5);
  expect(sum(missed)).toBeGreaterThan(0.05);
  for (const shares of [returned, best]) expect(sum(shares)).toBeCloseTo(24, 3);
  expect(sum(returned.subarray(0, sinkTokens)) + sum(best.subarray(0, sinkTokens))).toBe(0);
  // A choice is recalled where it is among the best.
  const recall = steps.reduce((all, step) => all + (step.recall ?? 0), 0) / 4;
  expect(recall).toBeGreaterThan(0.2);
  expect(recall).toBeLessThan(1);
  expect(sealed).toBeGreaterThan(256);
  // There is no disk.
  for (const [token, share] of onGpu.entries()) expect(share + inRam[token]).toBeCloseTo(1, 5);
  expect(sum(inRam)).toBeGreaterThan(100);
});

test('where everything is chosen nothing is missed, and it lies on the GPU afterwards', async () => {
  const { steps, sealed, returned, missed, onGpu, inRam } = await replayed({ name: 'sketch', budget: { share: 1 }, estimate: true });
  expect(Math.min(...returned.subarray(sinkTokens))).toBe(1);
  expect(sum(missed)).toBe(0);
  for (const { recall, hits, chosen, fetched } of steps) {
    expect(recall === null || recall === 1).toBe(true);
    expect(hits + fetched).toBeGreaterThanOrEqual(chosen);
  }
  expect([Math.min(...onGpu), Math.max(...inRam)]).toEqual([1, 0]);
  expect(onGpu.length).toBe(sealed);
});

test('an answer that is stopped on the way says so', async () => {
  await expect(replayRetrieval({ ...model, readback }, { tokens, firstRow, samples: 1, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
});
