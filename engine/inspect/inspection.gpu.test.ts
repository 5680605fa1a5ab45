import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isPlainAttention } from '../models/spec.ts';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { memorySource } from '../formats/gguf/testing/memorySource.ts';
import { seededRandom } from '../formats/quantisation/testing/seededRandom.ts';
import { type LoadedModel, loadModel, type TierOptions } from '../model.ts';
import { referenceForward } from '../reference/forward.ts';
import { measuredChoices, openTestDevice } from '../testing/device.ts';
import { referenceWeights } from '../testing/referenceWeights.ts';
import { tinyModel } from '../testing/tinyModel.ts';
import { answerLogprobs } from './ablation.ts';
import { Inspection, type InspectionParts } from './inspection.ts';

const tokenCount = 150;
const firstRow = 131;
const random = seededRandom(7);
const tokens = Array.from({ length: tokenCount }, () => Math.floor(random() * 256));
const shape = { firstRow: 0, endRow: tokenCount - 1 - firstRow, rowsPerBucket: 1, fromKey: 0, toKey: tokenCount - 1, keysPerBucket: 1 };

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

async function open(architecture: 'llama' | 'gemma3' | 'qwen35', tiers: TierOptions | null = null): Promise<LoadedModel> {
  return loadModel(device, memorySource(tinyModel({ architecture })), { contextTokens: 512, kvBudgetBytes: 1 << 28, choices: measuredChoices, tiers });
}

function partsOf({ runner, sequence }: LoadedModel): InspectionParts {
  return { device, runner, sequence, readback };
}

/** −log p of the tokens after `from`, by logits after every token. */
function logprobsAfter(logits: readonly Float64Array[], from: number): number[] {
  return tokens.slice(from, -1).map((_, i) => {
    const row = logits[from + i];
    const maximum = Math.max(...row);
    return row[tokens[from + i + 1]] - maximum - Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - maximum), 0));
  });
}

describe.each(['llama', 'gemma3', 'qwen35'] as const)('%s', (architecture) => {
  let model: LoadedModel;
  beforeAll(async () => {
    model = await open(architecture);
  });
  afterAll(() => model.free());

  test('weights and log-probabilities of computed rows are those of the reference', async () => {
    await model.sequence.extend(tokens);
    const inspection = await Inspection.open(partsOf(model), { tokens, firstRow });
    const { spec } = model;
    const wanted = new Map<string, Float64Array>();
    const logits = referenceForward(spec, await referenceWeights(model.file), tokens, tokenCount, {
      onShares: (layer, position, head, first, shares) => {
        if (position < firstRow || position >= tokenCount - 1) return;
        const key = `${layer} ${head}`;
        const tile = wanted.get(key) ?? new Float64Array((tokenCount - 1 - firstRow) * (tokenCount - 1));
        wanted.set(key, tile);
        for (const [i, share] of shares.entries()) tile[(position - firstRow) * (tokenCount - 1) + first + i] = share;
      },
    });
    for (const [layer, { mixer }] of spec.blocks.entries()) {
      if (!isPlainAttention(mixer)) continue;
      for (const head of [0, mixer.heads - 1]) {
        const { sums } = await inspection.tile([{ layer, head }], shape);
        const expected = wanted.get(`${layer} ${head}`) ?? [];
        expect(Math.max(...sums.map((sum, cell) => Math.abs(sum - expected[cell])))).toBeLessThan(2e-3);
      }
    }
    const expected = logprobsAfter(logits, firstRow);
    for (const [row, logprob] of inspection.logprobs.entries()) expect(Math.abs(logprob - expected[row])).toBeLessThan(0.02);
    expect(inspection.logprobs.length).toBe(expected.length);
    inspection.free();
  });

  test.each([
    { start: 20, end: 45 },
    { start: 0, end: 9 },
    { start: 90, end: 120 },
  ])('without tokens $start to $end the answer has the reference’s probabilities, and afterwards the old ones again', async (passage) => {
    const [rescoreFrom, answerFrom] = [120, 132];
    const options = { tokens, rescoreFrom, answerFrom };
    const before = await answerLogprobs(partsOf(model), { ...options, passage: null });
    const without = await answerLogprobs(partsOf(model), { ...options, passage });
    const after = await answerLogprobs(partsOf(model), { ...options, passage: null });
    const weights = await referenceWeights(model.file);
    const expected = logprobsAfter(referenceForward(model.spec, weights, tokens, tokenCount, { removed: { ...passage, from: rescoreFrom } }), answerFrom - 1);
    expect(without.length).toBe(expected.length);
    for (const [i, logprob] of without.entries()) expect(Math.abs(logprob - expected[i])).toBeLessThan(0.02);
    expect(after).toEqual(before);
    expect(Math.max(...without.map((logprob, i) => Math.abs(logprob - before[i])))).toBeGreaterThan(0.05);
  });
});

test('keys beyond the GPU weigh what they weigh on it', async () => {
  const tiers: TierOptions = { gpuBudgetBytes: 1 << 26, ramBudgetBytes: 1 << 26, format: 'f16', disk: null, offload: 'always' };
  const long = Array.from({ length: 470 }, () => Math.floor(random() * 256));
  const view = { firstRow: 0, endRow: 12, rowsPerBucket: 3, fromKey: 0, toKey: 469, keysPerBucket: 20 };
  const tiles = [];
  for (const options of [null, tiers]) {
    const model = await open('llama', options);
    await model.sequence.extend(long);
    if (options) expect(model.runner.far?.sealed).toBeGreaterThan(0);
    const inspection = await Inspection.open(partsOf(model), { tokens: long, firstRow: 457 });
    tiles.push(await inspection.tile([{ layer: 0, head: 1 }, { layer: 2, head: 0 }, { layer: 2, head: 3 }], view));
    inspection.free();
    model.free();
  }
  const [resident, far] = tiles;
  expect(Math.max(...far.sums.map((sum, cell) => Math.abs(sum - resident.sums[cell])))).toBeLessThan(0.02);
});
