import { expect, test } from 'vitest';
import { makeProbe, probeDifference } from './probe.ts';

test('a probe holds the largest logits and notices one that moved', () => {
  const logits = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i * 1.7) * 8);
  const probe = makeProbe(logits);
  expect(probe).toHaveLength(128);
  expect(probeDifference(probe, logits)).toBe(0);
  const best = logits.indexOf(Math.max(...logits));
  const moved = logits.slice();
  moved[best] -= 0.5;
  expect(probeDifference(probe, moved)).toBeCloseTo(0.5, 5);
  const others = logits.slice();
  others[logits.indexOf(Math.min(...logits))] += 1;
  expect(probeDifference(probe, others)).toBe(0);
});

test('a vocabulary that is shorter, and numbers that are none, are different', () => {
  const logits = Float32Array.from({ length: 100 }, (_, i) => i);
  expect(probeDifference(makeProbe(logits), logits.subarray(0, 50))).toBe(Infinity);
  expect(probeDifference(makeProbe(logits), new Float32Array(100).fill(NaN))).toBe(Infinity);
});
