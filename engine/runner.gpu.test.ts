import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from './device/device.ts';
import { Readback } from './device/readback.ts';
import { memorySource } from './formats/gguf/testing/memorySource.ts';
import { seededRandom } from './formats/quantisation/testing/seededRandom.ts';
import { loadModel, type LoadedModel } from './model.ts';
import { referenceForward } from './reference/forward.ts';
import { measuredChoices, openTestDevice } from './testing/device.ts';
import { referenceWeights } from './testing/referenceWeights.ts';
import { tinyModel } from './testing/tinyModel.ts';

const tokenCount = 150;
let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

describe.each(['llama', 'gemma3', 'qwen35', 'lfm2'] as const)('%s', (architecture) => {
  let model: LoadedModel;
  let expected: Float64Array[];
  const random = seededRandom(7);
  const tokens = Array.from({ length: tokenCount }, () => Math.floor(random() * 256));

  beforeAll(async () => {
    model = await loadModel(device, memorySource(tinyModel({ architecture })), {
      contextTokens: 512,
      kvBudgetBytes: 1 << 28,
      choices: measuredChoices,
    });
    expected = referenceForward(model.spec, await referenceWeights(model.file), tokens);
  });
  afterAll(() => model.free());

  const lastLogits = (): Promise<Float32Array> => readback.floats(model.runner.logits, 0, model.spec.vocabularySize);

  test.each([1, 7, 64, tokenCount])('the last logits in chunks of %i equal the CPU reference', async (chunkTokens) => {
    model.sequence.clear();
    await model.sequence.extend(tokens, { chunkTokens });
    expectClose(await lastLogits(), expected[tokenCount - 1]);
  });

  test('a prompt that shares its beginning reads only the rest, with the same logits', async () => {
    model.sequence.clear();
    // A state of constant size can only go back to where a checkpoint was kept.
    await model.sequence.extend(tokens, { checkpointsAt: [100] });
    const other = [...tokens.slice(0, 100), 5, 6, 7];
    const { reusedTokens } = await model.sequence.extend(other, {});
    expect(reusedTokens).toBe(100);
    const continued = await lastLogits();
    model.sequence.clear();
    await model.sequence.extend(other, {});
    expectClose(continued, await lastLogits());
  });

  test('a prompt that is asked again computes its last token only, with the same bits', async () => {
    model.sequence.clear();
    await model.sequence.extend(tokens, { chunkTokens: 40 });
    const first = await lastLogits();
    const { reusedTokens } = await model.sequence.extend(tokens, {});
    expect(reusedTokens).toBe(tokenCount - 1);
    const again = await lastLogits();
    if (model.runner.keepsStates) expect(again).toEqual(first);
    else expectClose(again, first);
  });

  test('a stopped reading keeps its whole chunks and goes on from there', async () => {
    model.sequence.clear();
    const stop = new AbortController();
    const reading = model.sequence.extend(tokens, {
      chunkTokens: 40,
      signal: stop.signal,
      onProgress: (done) => {
        if (done >= 80) stop.abort();
      },
    });
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
    const { reusedTokens } = await model.sequence.extend(tokens, {});
    expect(reusedTokens).toBe(80);
    expectClose(await lastLogits(), expected[tokenCount - 1]);
  });
});

/** Keys and values may be stored in f16, and the logits of these models have a deviation near 4. */
function expectClose(actual: ArrayLike<number>, wanted: ArrayLike<number>): void {
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) worst = Math.max(worst, Math.abs(actual[i] - wanted[i]));
  expect(worst).toBeLessThan(0.02);
}
