import { expect, test } from 'vitest';
import { coverageOf } from './store.ts';

test('coverage counts characters, not only parts', () => {
  const windows = [
    { start: 0, end: 100, state: 'gave' as const },
    { start: 100, end: 400, state: 'empty' as const },
    { start: 400, end: 500, state: 'waiting' as const },
    { start: 500, end: 800, state: 'failed' as const },
  ];
  expect(coverageOf({ windows })).toEqual({ all: 4, read: 2, gave: 1, empty: 1, share: 0.5 });
});
