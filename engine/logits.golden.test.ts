/**
 * The real models against logits that an independent float32 implementation made from the same
 * files (testdata/golden). The gates are those of the project: with activations in f32 or f16 the
 * top-1 token is the same at ≥ 99 % of all positions and wherever the golden margin exceeds 0.1.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from './device/device.ts';
import { Readback } from './device/readback.ts';
import { evaluateLogits, type LogitsPosition } from './evaluateLogits.ts';
import { loadModel, type LoadedModel } from './model.ts';
import { openTestDevice } from './testing/device.ts';
import { goldenModels, openGoldenModel } from './testing/goldenModels.ts';

interface GoldenCase {
  name: string;
  tokens: number[];
  positions: { position: number; top: number[]; logits: number[]; logSumExp: number; next: number | null }[];
  meanNll: number;
}

describe.each(['smollm2', 'gemma3'] as const)('%s', (name) => {
  const path = new URL(`./testdata/golden/${goldenModels[name].golden}.logits.json`, import.meta.url);
  const cases: GoldenCase[] = JSON.parse(readFileSync(path, 'utf8')).cases;
  let device: Device;
  let model: LoadedModel;
  let readback: Readback;

  beforeAll(async () => {
    device = await openTestDevice();
    readback = new Readback(device);
    const source = await openGoldenModel(name);
    model = await loadModel(device, source, { contextTokens: 2048, kvBudgetBytes: 1 << 30, choices: new Map() });
    await source.close();
  });
  afterAll(() => device.destroy());

  const evaluate = (golden: GoldenCase, chunkTokens: number | null, tokens = golden.tokens.length): Promise<LogitsPosition[]> =>
    evaluateLogits(device, model.runner, model.sequence, readback, {
      tokens: golden.tokens.slice(0, tokens),
      positions: golden.positions.map(({ position }) => position).filter((position) => position < tokens),
      chunkTokens,
    });

  test.each(cases)('$name equals the golden logits', async (golden) => {
    const actual = await evaluate(golden, null);
    let equal = 0;
    let difference = 0;
    let compared = 0;
    golden.positions.forEach((expected, i) => {
      const margin = expected.logits[0] - expected.logits[1];
      const same = actual[i].top[0] === expected.top[0];
      if (same) equal++;
      else expect(margin, `top-1 at position ${expected.position}`).toBeLessThanOrEqual(0.1);
      const next = actual[i].next;
      if (expected.next === null || next === null) return;
      difference += Math.abs(next - expected.next);
      compared++;
    });
    const share = equal / golden.positions.length;
    const meanDifference = difference / compared;
    console.log(`${name} ${golden.name}: top-1 ${(100 * share).toFixed(1)} %, mean |Δ log p| ${meanDifference.toFixed(5)} nats`);
    expect(share).toBeGreaterThanOrEqual(0.99);
    expect(meanDifference).toBeLessThanOrEqual(0.01);
  });

  test('chunks of 1, 7, 64 and all at once give the same logits', async () => {
    const golden = cases[0];
    const tokens = 110;
    const whole = await evaluate(golden, 128, tokens);
    for (const chunkTokens of [1, 7, 64]) {
      const chunked = await evaluate(golden, chunkTokens, tokens);
      chunked.forEach((position, i) => {
        expect(position.top[0]).toBe(whole[i].top[0]);
        position.logits.forEach((logit, k) => expect(Math.abs(logit - whole[i].logits[k])).toBeLessThan(1e-3));
      });
    }
  });
});
