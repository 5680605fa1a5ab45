import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import type { SharedBlock } from '../../engine/ports.ts';
import { CopyThreads, threadsFor } from './copyThreads.ts';

const opened: CopyThreads[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((copies) => copies.close()));
});

function open(options: ConstructorParameters<typeof CopyThreads>[0]): CopyThreads {
  const copies = new CopyThreads(options);
  opened.push(copies);
  return copies;
}

const wordsOf = ({ buffer }: SharedBlock): Uint32Array => new Uint32Array(buffer);

interface Made {
  begun: { runs: number; count: number; runWords: number; target: number };
  blocks: SharedBlock[];
  target: Uint32Array;
  expected: Uint32Array;
}

/** Random runs out of `sources` blocks of noise, to random places, and what a plain loop makes of them. */
function make(copies: CopyThreads, random: () => number, { count, runWords, sources }: { count: number; runWords: number; sources: number }): Made {
  const below = (limit: number): number => Math.floor(random() * limit);
  const noise = Array.from({ length: sources }, () => copies.allocate(4 * (runWords + below(5000))));
  for (const block of noise) wordsOf(block).forEach((_, word, words) => (words[word] = below(2 ** 32)));
  const runs = copies.allocate(12 * Math.max(1, count));
  const target = copies.allocate(4 * Math.max(1, count * (runWords + 1)));
  wordsOf(target).fill(7);
  const expected = wordsOf(target).slice();
  const places = Array.from({ length: count }, (_, place) => place).sort(() => random() - 0.5);
  for (const [run, place] of places.entries()) {
    const source = noise[below(sources)];
    const first = below(source.buffer.byteLength / 4 - runWords + 1);
    wordsOf(runs).set([source.number, first, place * (runWords + 1)], 3 * run);
    for (let word = 0; word < runWords; word++) expected[place * (runWords + 1) + word] = wordsOf(source)[first + word];
  }
  return { begun: { runs: runs.number, count, runWords, target: target.number }, blocks: [...noise, runs, target], target: wordsOf(target), expected };
}

describe.each([0, 1, 2, 5])('%i threads', (threads) => {
  test('copy what a plain loop copies, blocks coming and going', async () => {
    const copies = open({ threads });
    const random = seededRandom(17 + threads);
    const shapes = [{ count: 0, runWords: 4 }, { count: 1, runWords: 1 }, { count: 1, runWords: 700 }, { count: 3, runWords: 33 }, { count: 64, runWords: 32 }, { count: 65, runWords: 64 }, { count: 9000, runWords: 33 }];
    while (shapes.length < 40) shapes.push({ count: Math.floor(random() ** 3 * 3000), runWords: 1 + Math.floor(random() * 130) });
    for (const [number, shape] of shapes.entries()) {
      const { begun, blocks, target, expected } = make(copies, random, { ...shape, sources: 1 + Math.floor(random() * 9) });
      await copies.begin(begun)();
      expect(Buffer.compare(Buffer.from(target.buffer), Buffer.from(expected.buffer)), `copy ${number}`).toBe(0);
      for (const { number: block } of blocks) copies.release(block);
    }
  });

  test('several copies at once, more than there is room for, finished in any order', async () => {
    const copies = open({ threads });
    const random = seededRandom(3);
    const made = Array.from({ length: 14 }, () => make(copies, random, { count: 128 * 64, runWords: 8, sources: 3 }));
    const finish = made.map(({ begun }) => copies.begin(begun));
    await Promise.all([11, 0, 13, 5].map((index) => finish[index]()));
    for (const one of finish.reverse()) await one();
    for (const { target, expected } of made) expect(Buffer.compare(Buffer.from(target.buffer), Buffer.from(expected.buffer))).toBe(0);
  });
});

test('threads copy while nobody waits for them', async () => {
  const copies = open({ threads: 2 });
  const { begun, target, expected } = make(copies, seededRandom(1), { count: 5000, runWords: 40, sources: 4 });
  const finish = copies.begin(begun);
  await vi.waitFor(() => expect(Buffer.compare(Buffer.from(target.buffer), Buffer.from(expected.buffer))).toBe(0), { timeout: 10_000 });
  await finish();
});

test('a block that is released is not given out again before the copies that read it are finished', async () => {
  const copies = open({ threads: 1 });
  const { begun, blocks, target, expected } = make(copies, seededRandom(1), { count: 5000, runWords: 40, sources: 1 });
  const finish = copies.begin(begun);
  copies.release(blocks[0].number);
  const other = copies.allocate(blocks[0].buffer.byteLength);
  // The thread has not started yet: nothing is copied.
  expect(other.number).not.toBe(blocks[0].number);
  wordsOf(other).fill(0);
  await finish();
  expect(Buffer.compare(Buffer.from(target.buffer), Buffer.from(expected.buffer))).toBe(0);
  expect(copies.allocate(blocks[0].buffer.byteLength).buffer).toBe(blocks[0].buffer);
});

test('the memory of released blocks goes back to the system, and their numbers to other blocks', async () => {
  const copies = open({ threads: 2 });
  const residentMb = (): number => process.memoryUsage.rss() / 1e6;
  const random = seededRandom(5);
  const round = async (): Promise<number[]> => {
    // They are known to the threads, some from their start.
    const blocks = Array.from({ length: 8 }, () => copies.allocate(64e6));
    for (const block of blocks) wordsOf(block).fill(1);
    const { begun, blocks: others } = make(copies, random, { count: 5000, runWords: 40, sources: 2 });
    await copies.begin(begun)();
    await sleep(300);
    const numbers = [...blocks, ...others].map(({ number }) => number);
    for (const number of numbers) copies.release(number);
    return numbers;
  };
  const beforeMb = residentMb();
  const first = await round();
  expect(residentMb()).toBeGreaterThan(beforeMb + 500);
  await vi.waitFor(() => expect(residentMb()).toBeLessThan(beforeMb + 250), { timeout: 10_000 });
  expect((await round()).sort()).toEqual(first.sort());
  await vi.waitFor(() => expect(residentMb()).toBeLessThan(beforeMb + 250), { timeout: 10_000 });
  // Threads that have forgotten blocks know the new ones.
  const { begun, target, expected } = make(copies, random, { count: 5000, runWords: 40, sources: 4 });
  const finish = copies.begin(begun);
  await vi.waitFor(() => expect(Buffer.compare(Buffer.from(target.buffer), Buffer.from(expected.buffer))).toBe(0), { timeout: 10_000 });
  await finish();
});

test.each(['dyingCopyThread.ts', 'nowhere.ts'])('threads that end with what they took (%s) hang nothing', async (file) => {
  const copies = open({ threads: 3, entry: new URL(`./testing/${file}`, import.meta.url) });
  const random = seededRandom(2);
  for (let round = 0; round < 3; round++) {
    const { begun, target, expected } = make(copies, random, { count: 5000, runWords: 40, sources: 4 });
    const finish = copies.begin(begun);
    // Time to take something.
    if (round === 0) await sleep(500);
    await finish();
    expect(Buffer.compare(Buffer.from(target.buffer), Buffer.from(expected.buffer))).toBe(0);
  }
});

test('what is closed while it copies finishes', async () => {
  const copies = open({ threads: 2 });
  const { begun, target, expected } = make(copies, seededRandom(1), { count: 5000, runWords: 40, sources: 4 });
  const finish = copies.begin(begun);
  await Promise.all([copies.close(), finish()]);
  expect(Buffer.compare(Buffer.from(target.buffer), Buffer.from(expected.buffer))).toBe(0);
});

test('of the processors, some are left to the asking thread and to the driver', () => {
  expect([2, 3, 4, 6, 8, 12, 16, 128].map(threadsFor)).toEqual([1, 2, 3, 4, 6, 9, 12, 12]);
});

test('a copy to or of a block that is none is refused', () => {
  const copies = open({ threads: 1 });
  const { number } = copies.allocate(120);
  for (const copy of [{ runs: number, target: 5, count: 1 }, { runs: 5, target: number, count: 1 }, { runs: number, target: number, count: 11 }]) {
    expect(() => copies.begin({ ...copy, runWords: 1 })).toThrow(RangeError);
  }
});
