import { expect, it } from 'vitest';
import { groupKernels, orderOfKernels, stepMs } from './kernelGroups.ts';

const kernels = [
  { name: 'norms', startMs: 0, ms: 1 },
  { name: 'logits', startMs: 1.5, ms: 6 },
  { name: 'norms', startMs: 8, ms: 1 },
];

it('gathers kernels by name, the slowest first, with their shares of the time', () => {
  expect(groupKernels(kernels)).toEqual([
    { name: 'logits', count: 1, ms: 6, share: 0.75 },
    { name: 'norms', count: 2, ms: 2, share: 0.25 },
  ]);
  expect(groupKernels([])).toEqual([]);
});

it('counts gaps between kernels in the time of a step', () => {
  expect(stepMs(kernels)).toBe(9);
  expect(stepMs([])).toBe(0);
});

it('orders kernels by what they take of all steps, however long those are', () => {
  const step = (phase: 'reading' | 'decoding', times: Record<string, number>) => ({ phase, tokens: 1, atToken: 0, kernels: Object.entries(times).map(([name, ms]) => ({ name, startMs: 0, ms })) });
  expect(orderOfKernels([step('reading', { down: 60, gate: 40 }), step('decoding', { logits: 7, gate: 3 })])).toEqual(['gate', 'logits', 'down']);
});
