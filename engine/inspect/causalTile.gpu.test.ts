import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { memorySource } from '../formats/gguf/testing/memorySource.ts';
import { seededRandom } from '../formats/quantisation/testing/seededRandom.ts';
import { type LoadedModel, loadModel } from '../model.ts';
import { referenceForward } from '../reference/forward.ts';
import { measuredChoices, openTestDevice } from '../testing/device.ts';
import { referenceWeights } from '../testing/referenceWeights.ts';
import { tinyModel } from '../testing/tinyModel.ts';
import { causalTile } from './causalTile.ts';

const random = seededRandom(23);
const tokens = Array.from({ length: 150 }, () => Math.floor(random() * 256));
const whole = { firstRow: 0, endRow: 149, rowsPerBucket: 8, fromKey: 0, toKey: 149, keysPerBucket: 8 };
const heads = [{ layer: 0, head: 1 }, { layer: 1, head: 0 }];

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

describe.each(['llama', 'gemma3'] as const)('%s', (architecture) => {
  let model: LoadedModel;
  beforeAll(async () => {
    model = await loadModel(device, memorySource(tinyModel({ architecture, layers: 2 })), { contextTokens: 512, kvBudgetBytes: 1 << 28, choices: measuredChoices, tiers: null });
    await model.sequence.extend(tokens);
  });
  afterAll(() => model.free());
  const parts = () => ({ device, readback, runner: model.runner, sequence: model.sequence });

  test('the triangle is the reference’s, empty above its diagonal, and each row of it adds up to the heads', async () => {
    const expected = new Float64Array(19 * 19);
    referenceForward(model.spec, await referenceWeights(model.file), tokens, tokens.length, {
      onShares: (layer, position, head, first, shares) => {
        if (position >= 149 || !heads.some((one) => one.layer === layer && one.head === head)) return;
        for (const [i, share] of shares.entries()) expected[Math.floor(position / 8) * 19 + Math.floor((first + i) / 8)] += share;
      },
    });
    const progress: number[] = [];
    const { rows, columns, sums, peaks } = await causalTile(parts(), { tokens, heads, shape: whole, onProgress: (done) => progress.push(done) });
    expect([rows, columns]).toEqual([19, 19]);
    expect(Math.max(...sums.map((sum, cell) => Math.abs(sum - expected[cell])))).toBeLessThan(0.01);
    for (let row = 0; row < rows; row++) {
      const inRow = sums.subarray(row * columns, (row + 1) * columns);
      expect(inRow.reduce((all, sum) => all + sum, 0)).toBeCloseTo(heads.length * Math.min(8, 149 - 8 * row), 2);
      expect(Math.max(0, ...inRow.subarray(row + 1))).toBe(0);
    }
    expect(Math.max(...peaks)).toBeLessThanOrEqual(1.001);
    expect(progress.at(-1)).toBe(149);
  });

  test('a tile is the sum of its four children', async () => {
    const parent = { firstRow: 32, endRow: 96, rowsPerBucket: 16, fromKey: 0, toKey: 64, keysPerBucket: 16 };
    const { sums } = await causalTile(parts(), { tokens, heads, shape: parent });
    const added = new Float64Array(16);
    for (const [y, x] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      const child = { firstRow: 32 + 32 * y, endRow: 64 + 32 * y, rowsPerBucket: 8, fromKey: 32 * x, toKey: 32 + 32 * x, keysPerBucket: 8 };
      const tile = await causalTile(parts(), { tokens, heads, shape: child });
      for (const [cell, sum] of tile.sums.entries()) added[(2 * y + Math.floor(cell / 8)) * 4 + 2 * x + Math.floor((cell % 4) / 2)] += sum;
    }
    expect(Math.max(...added.map((sum, cell) => Math.abs(sum - sums[cell])))).toBeLessThan(1e-3);
  });

  test('nobody who stopped waiting is served', async () => {
    await expect(causalTile(parts(), { tokens, heads, shape: whole, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
