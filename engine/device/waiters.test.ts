import { expect, test } from 'vitest';
import { waiterFor } from './waiters.ts';

/** What settles after so many milliseconds, and how often the runtime was let poll meanwhile. */
async function pollsWithin(ms: number, waits = 1, isHurried = false): Promise<number> {
  let polls = 0;
  const waiter = waiterFor('gpu', () => {
    polls++;
    return new Promise((resolve) => void setImmediate(resolve));
  }, () => isHurried);
  const work = new Promise<string>((resolve) => void setTimeout(() => resolve('done'), ms));
  const settled = await Promise.all(Array.from({ length: waits }, () => waiter.settle(work)));
  expect(settled).toEqual(Array.from({ length: waits }, () => 'done'));
  return polls;
}

test('a GPU is polled some thousand times a second, not as often as it goes', async () => {
  const polls = await pollsWithin(200);
  expect(polls).toBeGreaterThan(100);
  expect(polls).toBeLessThan(8000);
});

test('but as often as it goes while something else is under way', async () => {
  expect(await pollsWithin(100, 1, true)).toBeGreaterThan(3 * (await pollsWithin(100)));
});

test('one of several waits naps for all of them', async () => {
  expect(await pollsWithin(100, 20)).toBeGreaterThan(20 * 50);
});

test('a short wait takes no naps', async () => {
  const waiter = waiterFor('gpu', () => new Promise((resolve) => void setImmediate(resolve)));
  const startMs = performance.now();
  for (let i = 0; i < 100; i++) await waiter.settle(Promise.resolve(i));
  expect(performance.now() - startMs).toBeLessThan(50);
  await expect(waiter.settle(Promise.reject(new Error('gone')))).rejects.toThrow('gone');
});
