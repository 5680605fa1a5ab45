import { expect, test } from 'vitest';
import { RestartPolicy } from './restartPolicy.ts';

test('a single end is followed by a restart, a burst waits longer and then asks', () => {
  const policy = new RestartPolicy();
  const decisions = [0, 1_000, 2_000, 3_000].map((nowMs) => policy.decide(nowMs));
  expect(decisions).toEqual([
    { kind: 'restart', delayMs: 250 },
    { kind: 'restart', delayMs: 500 },
    { kind: 'restart', delayMs: 1_000 },
    { kind: 'ask' },
  ]);
});

test('ends that lie far apart are each a first one', () => {
  const policy = new RestartPolicy();
  for (const nowMs of [0, 61_000, 122_000, 183_000, 244_000]) {
    expect(policy.decide(nowMs)).toEqual({ kind: 'restart', delayMs: 250 });
  }
});

test('trying again starts with a clean slate', () => {
  const policy = new RestartPolicy();
  for (const nowMs of [0, 1, 2, 3]) policy.decide(nowMs);
  policy.reset();
  expect(policy.decide(4)).toEqual({ kind: 'restart', delayMs: 250 });
});
