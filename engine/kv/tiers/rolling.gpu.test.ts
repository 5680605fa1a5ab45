import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { divergence, distributionOf } from '../../evaluatePolicy.ts';
import { memorySource } from '../../formats/gguf/testing/memorySource.ts';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { loadModel, type LoadedModel } from '../../model.ts';
import { measuredChoices, openTestDevice } from '../../testing/device.ts';
import { tinyModel } from '../../testing/tinyModel.ts';
import { firstSteps } from './misses.ts';
import { FarTrace } from './farTrace.ts';
import type { Policy } from './policy.ts';

const contextTokens = 1024;
const random = seededRandom(5);
const tokens = Array.from({ length: 860 }, () => Math.floor(random() * 256));
const answer = Array.from({ length: firstSteps + 24 }, () => Math.floor(random() * 256));
const bytes = tinyModel({ architecture: 'llama', contextTokens, layers: 3 });
const rolling = (budget: Policy['budget'], turnSteps: number): Policy => ({ name: 'sketch', budget, estimate: true, misses: 'rolling', turnSteps });

let device: Device;
let readback: Readback;
let plain: LoadedModel;
let truth: Float32Array[];
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
  plain = await loadModel(device, memorySource(bytes), { kvBudgetBytes: 1 << 30, choices: measuredChoices, contextTokens });
  truth = await decode(plain);
});
afterAll(() => device.destroy());

/** The logits behind each token of the answer, decoded one by one. */
async function decode({ runner, sequence, spec }: LoadedModel): Promise<Float32Array[]> {
  await sequence.extend(tokens, { chunkTokens: 64 });
  const logits: Float32Array[] = [];
  const stream = [...tokens];
  for (const token of answer) {
    stream.push(token);
    await sequence.extend(stream, { asDecoding: true });
    logits.push(await readback.floats(runner.logits, 0, spec.vocabularySize));
  }
  await runner.far?.settleLagged();
  return logits;
}

function open(gpuBudgetBytes: number): Promise<LoadedModel> {
  return loadModel(device, memorySource(bytes), { kvBudgetBytes: 1 << 30, choices: measuredChoices, contextTokens, tiers: { gpuBudgetBytes, ramBudgetBytes: 1 << 24, format: 'f16', disk: null, offload: 'always', largestShare: 1 } });
}

const largest = (a: Float32Array, b: Float32Array): number => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

test('slots that hold everything give the logits of a cache on the GPU', async () => {
  const model = await open(4_000_000);
  const { far } = model.runner;
  far!.policy = rolling({ share: 1 }, 2);
  const logits = await decode(model);
  expect(far!.plan.slots).toBeGreaterThan(far!.sealed);
  for (const [step, one] of logits.entries()) expect(largest(one, truth[step])).toBeLessThan(0.02);
  const { farKeys, exactKeys, estimatedKeys } = far!.report.total;
  expect([exactKeys, estimatedKeys]).toEqual([farKeys, 0]);
  model.free();
});

describe('with slots for some', () => {
  let model: LoadedModel;
  beforeAll(async () => {
    model = await open(1_000_000);
    expect(model.runner.far!.plan.slots).toBeLessThan(300);
  });
  afterAll(() => model.free());

  test('layers take turns, and every key counts once', async () => {
    const { far } = model.runner;
    far!.policy = rolling({ tokens: 12 }, 3);
    far!.report.reset();
    const trace = new FarTrace(far!, readback, 0);
    await decode(model);
    trace.close();
    const traced = trace.take();
    expect(traced).toHaveLength(3 * answer.length);
    for (const { step, layer, report, heads } of traced) {
      const { farKeys, exactKeys, estimatedKeys, missedKeys, chosenKeys, hitKeys, fetchedKeys } = report;
      expect(exactKeys + estimatedKeys + missedKeys).toBe(farKeys);
      // Only the first steps wait for what they miss.
      const waits = step < firstSteps;
      expect(hitKeys + (waits ? fetchedKeys : missedKeys)).toBe(chosenKeys);
      const chooses = waits || (tokens.length + step + layer) % 3 === 0;
      expect(heads.map(({ chosen }) => chosen)).toEqual(chooses ? Array(far!.plan.layout.kvHeads).fill(12) : []);
      if (waits) expect(exactKeys).toBe(chosenKeys);
    }
    // What earlier turns brought stays.
    const exactOf = (wanted: number): number => traced.filter(({ step }) => step === wanted).reduce((sum, { report }) => sum + report.exactKeys, 0);
    expect(exactOf(answer.length - 1)).toBeGreaterThan(2 * exactOf(0));
    expect(exactOf(firstSteps)).toBeGreaterThan(exactOf(firstSteps - 1));
  });

  test('is closer to the truth than attending to what a step has chosen and finds, and other ways to miss are as they were', async () => {
    const { far } = model.runner;
    const loss = (logits: Float32Array[]): number => logits.reduce((sum, one, step) => sum + divergence(distributionOf(truth[step]), one), 0) / logits.length;
    const strict: Policy = { name: 'sketch', budget: { tokens: 12 }, estimate: true };
    far!.policy = strict;
    const before = await decode(model);
    far!.policy = { ...strict, misses: 'lagged' };
    const lagged = loss(await decode(model));
    far!.policy = rolling({ tokens: 12 }, 1);
    expect(loss(await decode(model))).toBeLessThan(lagged);
    far!.policy = { ...strict, misses: 'lagged' };
    await decode(model);
    far!.policy = strict;
    for (const [step, one] of (await decode(model)).entries()) expect(largest(one, before[step])).toBe(0);
  });
});
