import { expect, test } from 'vitest';
import { firstSteps, Misses } from './misses.ts';
import type { Policy } from './policy.ts';

const rolling: Policy = { name: 'sketch', budget: { tokens: 8 }, estimate: true, misses: 'rolling', turnSteps: 4 };

function missesOf(policy: Policy, farTokens = 1000): Misses {
  return new Misses(() => ({ policy, farTokens }));
}

/** Decodes `steps` tokens behind `position`; whether each waited. */
function decode(misses: Misses, position: number, steps: number): boolean[] {
  return Array.from({ length: steps }, (_, step) => {
    misses.noteStep({ position: position + step, rows: 1 });
    const waited = !misses.lag;
    misses.noteStepEnd();
    return waited;
  });
}

test('the first steps of an answer wait, those behind them do not', () => {
  const misses = missesOf(rolling);
  const expected = [...Array<boolean>(firstSteps).fill(true), false, false, false];
  expect(decode(misses, 1000, firstSteps + 3)).toEqual(expected);
  misses.noteReading();
  expect(decode(misses, 1100, firstSteps + 3)).toEqual(expected);
});

test('a sequence that is cut begins another answer, one that is not goes on', () => {
  const misses = missesOf(rolling);
  decode(misses, 1000, 20);
  misses.noteCut(1020);
  expect(misses.lag).toBe(true);
  misses.noteCut(1019);
  expect(misses.lag).toBe(false);
});

test('who waits, who rolls, and what follows, by policy', () => {
  const of = (policy: Policy, farTokens?: number) => {
    const misses = missesOf(policy, farTokens);
    decode(misses, 1000, firstSteps);
    return [misses.lag, misses.roll, misses.follow?.followers ?? null];
  };
  expect(of(rolling)).toEqual([true, true, 6]);
  expect(of({ ...rolling, turnSteps: undefined })).toEqual([true, true, 10]);
  expect(of({ ...rolling, misses: 'lagged' })).toEqual([true, false, 3]);
  expect(of({ ...rolling, misses: 'strict' })).toEqual([false, false, null]);
  expect(of({ ...rolling, misses: undefined })).toEqual([false, false, null]);
  // They look beyond the GPU for each choice.
  expect(of({ ...rolling, name: 'graph' })).toEqual([true, false, 6]);
  expect(of({ ...rolling, name: 'window' })).toEqual([false, false, 6]);
  expect(of(rolling, 0)).toEqual([false, false, 6]);
});

test('each layer has one turn a round, and slots age once a round', () => {
  const misses = missesOf(rolling);
  expect([misses.agesSlots({ position: 8, rows: 1 }), misses.agesSlots({ position: 9, rows: 1 })]).toEqual([true, true]);
  decode(misses, 1000, firstSteps);
  const positions = Array.from({ length: 12 }, (_, step) => 1008 + step);
  for (let layer = 0; layer < 7; layer++) {
    const turns = positions.filter((position) => misses.isTurnOf(layer, { position, rows: 1 }));
    expect(turns.map((position, turn) => position - turns[0] - 4 * turn)).toEqual([0, 0, 0]);
  }
  expect(positions.filter((position) => misses.isTurnOf(0, { position, rows: 1 })).length + positions.filter((position) => misses.isTurnOf(1, { position, rows: 1 })).length).toBe(6);
  expect(positions.map((position) => misses.agesSlots({ position, rows: 1 }))).toEqual([true, false, false, false, true, false, false, false, true, false, false, false]);
});
