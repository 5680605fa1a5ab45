/**
 * Every family on the GPU against transformers, on tiny models with random weights (`testdata/families/make.py`):
 * prompts shorter and longer than a chunk, in chunks of several sizes. Keys and values are f32, like the weights' sums.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from './device/device.ts';
import { Readback } from './device/readback.ts';
import { loadModel, type LoadedModel } from './model.ts';
import { maxTailRows } from './scratch.ts';
import { compareLogits, familyCases, familyNames, openFamily, type FamilyCase } from './testing/familyGoldens.ts';
import { measuredChoices, openTestDevice } from './testing/device.ts';

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

const cases = familyNames.flatMap((name) => familyCases(name).map((golden) => ({ name, golden, context: golden.contextTokens })));

describe.each(cases)('$name in a context of $context', ({ name, golden }) => {
  let model: LoadedModel;
  beforeAll(async () => {
    model = await loadModel(device, openFamily(name), { contextTokens: golden.contextTokens, kvBudgetBytes: 1 << 28, kvFormat: 'f32', choices: measuredChoices });
  });
  afterAll(() => model.free());

  test.each([1, 7, 64, 256, golden.tokens.length])('chunks of %i give the logits of transformers', async (chunkTokens) => {
    // Row by row costs most and depends least on the length.
    const length = chunkTokens === 1 ? 66 : golden.tokens.length;
    const logits = await logitsOf(model, readback, golden, length, chunkTokens);
    expect(logits.size).toBeGreaterThan(7);
    for (const [position, actual] of logits) {
      const row = golden.positions.indexOf(position) * actual.length;
      const { difference, sameTop } = compareLogits(actual, golden.logits.subarray(row, row + actual.length));
      expect(difference, `position ${position}`).toBeLessThan(1e-3);
      expect(sameTop, `position ${position}`).toBe(true);
    }
  });
});

/** Logits at the golden positions of the first `length` tokens. */
async function logitsOf(model: LoadedModel, readback: Readback, golden: FamilyCase, length: number, chunkTokens: number): Promise<Map<number, Float32Array>> {
  const { runner, sequence, spec } = model;
  const logits = new Map<number, Float32Array>();
  sequence.clear();
  await sequence.extend(golden.tokens.slice(0, length), {
    chunkTokens,
    onChunk: async (first, rows) => {
      const wanted = golden.positions.filter((position) => position >= first && position < first + rows);
      for (let i = 0; i < wanted.length; i += maxTailRows) {
        const batch = wanted.slice(i, i + maxTailRows);
        const encoder = device.gpu.createCommandEncoder();
        runner.encodeHead(encoder, batch.map((position) => position - first));
        device.gpu.queue.submit([encoder.finish()]);
        const values = await readback.floats(runner.logits, 0, batch.length * spec.vocabularySize);
        for (const [row, position] of batch.entries()) logits.set(position, values.slice(row * spec.vocabularySize, (row + 1) * spec.vocabularySize));
      }
    },
  });
  return logits;
}
