import { totalmem } from 'node:os';
import { expect, it } from 'vitest';
import { defaultGpuKvBytes } from './kvDefaults.ts';

const gigabyte = 2 ** 30;

it('gives keys and values more of a large GPU, less beside a large model, and never nothing', () => {
  const budget = (gpu: number | null, model: number): number => defaultGpuKvBytes('gpu', { gpuBytes: gpu === null ? null : gpu * gigabyte, modelBytes: model * gigabyte });
  expect(budget(null, 1)).toBe(2 * gigabyte);
  expect(budget(8, 1)).toBe(3.25 * gigabyte);
  expect(budget(8, 5)).toBeLessThan(gigabyte);
  expect(budget(8, 12)).toBe(gigabyte / 4);
  expect(budget(141, 5)).toBeGreaterThan(64 * gigabyte);
  // A verdict and the loader know the size of the weights a little differently.
  expect(budget(24, 4)).toBe(budget(24, 4 + 1e-4));
});

it('takes an eighth of the memory at most where the processor computes', () => {
  expect(defaultGpuKvBytes('software', { gpuBytes: null, modelBytes: 0 })).toBeLessThanOrEqual(totalmem() / 8);
});
