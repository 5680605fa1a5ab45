import { expect, test } from 'vitest';
import type { ModelSpec } from '../../models/spec.ts';
import { planTiers } from './plan.ts';

/** What a plan looks at, in the shape of Llama 3.2 1B. */
const spec = { name: 'one', blocks: Array.from({ length: 16 }, () => ({ mixer: { kind: 'full', heads: 32, kvHeads: 8, headDim: 64 } })) } as unknown as ModelSpec;
const budget = { format: 'f16', maxRows: 512, maxChunkRows: 4096, largestShare: 0.02 } as const;

test('a million tokens have their index, and something exact, within 3.5 GB', () => {
  const plan = planTiers(spec, { ...budget, gpuBytes: 3.5e9, contextTokens: 2 ** 20 });
  expect(plan.layout.planes).toBe(1);
  expect(plan.bytes.total).toBeLessThanOrEqual(3.5e9);
  // The chunk gives way to them.
  expect(plan.slots).toBeGreaterThan(2000);
  expect(plan.maxChunkRows).toBe(1024);
});

test('within 2 GB a million tokens have clusters alone, where no policy needs a sketch', () => {
  const small = { ...budget, gpuBytes: 2e9, contextTokens: 2 ** 20 };
  const plan = planTiers(spec, { ...small, mayLackSketch: true });
  expect(plan.layout.planes).toBe(0);
  expect(plan.bytes.total).toBeLessThanOrEqual(2e9);
  expect(plan.slots).toBeGreaterThan(512);
  expect(() => planTiers(spec, small)).toThrow('at least 3');
  // Where there is room for a sketch, it is there.
  expect(planTiers(spec, { ...small, gpuBytes: 3.5e9, mayLackSketch: true })).toEqual(planTiers(spec, { ...small, gpuBytes: 3.5e9 }));
});

test('there is room for what is proposed only where something ranks it again', () => {
  const plans = [2 ** 27, 2 ** 28, 2 ** 30].map((gpuBytes) => planTiers(spec, { ...budget, maxChunkRows: 512, gpuBytes, contextTokens: 16_384 }));
  expect(new Set(plans.map(({ layout }) => layout.planes)).size).toBeGreaterThan(1);
  for (const { layout, maxCandidates, maxSelected } of plans) expect(maxCandidates).toBe(layout.planes > 2 ? 4 * maxSelected : 1);
});

test('what does not fit says what would', () => {
  expect(() => planTiers(spec, { ...budget, gpuBytes: 1e9, contextTokens: 2 ** 20 })).toThrow(/1048576 tokens of one need at least 3[23]\d{8} bytes of GPU memory/);
});
