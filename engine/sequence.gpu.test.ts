import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from './device/device.ts';
import { Readback } from './device/readback.ts';
import { evaluateLogits } from './evaluateLogits.ts';
import { memorySource } from './formats/gguf/testing/memorySource.ts';
import { seededRandom } from './formats/quantisation/testing/seededRandom.ts';
import { loadModel, type LoadedModel } from './model.ts';
import { Sequence } from './sequence.ts';
import { measuredChoices, openTestDevice } from './testing/device.ts';
import { tinyModel } from './testing/tinyModel.ts';

const contextTokens = 1024;
const chunkTokens = 24;

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

/** As on a real GPU: the next chunk is encoded while the one before is computed. Rings, states and plain caches. */
describe.each(['llama', 'gemma3', 'qwen35'] as const)('%s, chunks encoded ahead', (architecture) => {
  const random = seededRandom(5);
  const tokens = Array.from({ length: 400 }, () => Math.floor(random() * 256));
  let model: LoadedModel;
  let ahead: Sequence;
  beforeAll(async () => {
    model = await loadModel(device, memorySource(tinyModel({ architecture, contextTokens, layers: 2 })), { contextTokens, kvBudgetBytes: 1 << 30, choices: measuredChoices, tiers: null });
    ahead = new Sequence(device, model.runner, { encodesAhead: true });
  });
  afterAll(() => model.free());
  const logits = (): Promise<Float32Array> => readback.floats(model.runner.logits, 0, model.spec.vocabularySize);

  async function oneByOne(prompt: readonly number[]): Promise<Float32Array> {
    model.sequence.clear();
    await model.sequence.extend(prompt, { chunkTokens });
    return logits();
  }

  test('give the logits of chunks that wait for one another, and tell how far they are', async () => {
    const expected = await oneByOne(tokens);
    const told: number[] = [];
    await ahead.extend(tokens, { chunkTokens, onProgress: (done, total) => told.push(done / total) });
    expect(await logits()).toEqual(expected);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told[0]).toBe(0);
    expect(told[told.length - 1]).toBe(1);
    // One chunk is always on its way.
    expect(told.filter((share) => share > 0 && share < 1).length).toBeGreaterThanOrEqual(Math.floor(tokens.length / chunkTokens) - 2);
  });

  test('leave each chunk its rows until its logits were taken', async () => {
    const stream = { tokens, positions: [3, 100, 101, 250, 399], chunkTokens };
    const expected = await evaluateLogits(device, model.runner, model.sequence, readback, stream);
    expect(await evaluateLogits(device, model.runner, ahead, readback, stream)).toEqual(expected);
  });

  test('are stopped with what was submitted, and go on from there', async () => {
    const stop = new AbortController();
    ahead.clear();
    await expect(ahead.extend(tokens, { chunkTokens, signal: stop.signal, onProgress: (done) => done >= 5 * chunkTokens && stop.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    expect(ahead.length).toBeGreaterThan(5 * chunkTokens);
    expect(ahead.length).toBeLessThanOrEqual(7 * chunkTokens);
    const { reusedTokens } = await ahead.extend(tokens, { chunkTokens });
    expect(reusedTokens).toBeGreaterThanOrEqual(architecture === 'qwen35' ? 0 : 5 * chunkTokens);
    const asRead = await logits();
    expect(asRead).toEqual(await oneByOne(tokens));
  });
});
