import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { asIntegers, copyRuns, noWords } from './copyRuns.ts';

const random = seededRandom(11);
const below = (limit: number): number => Math.floor(random() * limit);
/** Lines of memory begin anywhere in these. */
const sources = [noise(3000, 1), noWords, noise(257, 4), noise(4096, 0)];
const used = [0, 2, 3];
const gap = 3;

function noise(words: number, firstWord: number): Int32Array {
  const result = new Int32Array(new SharedArrayBuffer(4 * (words + firstWord)), 4 * firstWord);
  for (let word = 0; word < words; word++) result[word] = below(2 ** 32);
  return result;
}

/** Runs that end where their source does are among them. */
function randomRuns(count: number, runWords: number): Int32Array {
  const places = Array.from({ length: count }, (_, place) => place).sort(() => random() - 0.5);
  const runs = places.flatMap((place, run) => {
    const source = used[run % used.length];
    const lastFirst = sources[source].length - runWords;
    return [source, run % 5 === 0 ? lastFirst : below(lastFirst + 1), gap + place * (runWords + gap)];
  });
  return Int32Array.from(runs);
}

function copied(runs: Int32Array, first: number, end: number, runWords: number, target: Int32Array): Int32Array {
  const result = target.slice();
  for (let run = first; run < end; run++) {
    const [source, from, to] = runs.subarray(3 * run);
    for (let word = 0; word < runWords; word++) result[to + word] = sources[source][from + word];
  }
  return result;
}

describe.each([0, 1, 2, 15, 16, 17, 31, 32, 33, 36, 47, 49, 63, 64, 65, 80, 127, 128, 129, 193, 257])('runs of %i words', (runWords) => {
  test.each([0, 1, 63, 64, 65, 200])('%i of them come whole to their places, and nothing else changes', (count) => {
    const runs = randomRuns(count, runWords);
    const target = new Int32Array(gap + count * (runWords + gap)).map(() => below(2 ** 32));
    for (const [first, end] of [[0, count], [Math.min(5, count), count], [0, Math.max(0, count - 7)], [count, count]]) {
      const expected = copied(runs, first, end, runWords, target);
      const result = target.slice();
      copyRuns(sources, runs, first, end, runWords, result);
      expect(Buffer.compare(Buffer.from(result.buffer), Buffer.from(expected.buffer)), `runs ${first} to ${end}`).toBe(0);
    }
  });
});

test('what is copied may begin in the middle of other words', () => {
  const runs = randomRuns(100, 36);
  const load = new Uint32Array(7 + gap + 100 * (36 + gap)).fill(5);
  const expected = copied(runs, 0, 100, 36, new Int32Array(gap + 100 * (36 + gap)).fill(5));
  copyRuns(sources, runs, 0, 100, 36, asIntegers(load, 7));
  expect(load.subarray(0, 7)).toEqual(new Uint32Array(7).fill(5));
  expect(Buffer.compare(Buffer.from(load.buffer, 28), Buffer.from(expected.buffer))).toBe(0);
});
