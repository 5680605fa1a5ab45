import { assert, constantFrom, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PairMerger } from './pairMerger.ts';

/** Pairs join by the sum of their lengths and first letters: any rule with ties will do. */
function priorityOf(left: string, right: string): number {
  return left.length + right.length > 6 ? Infinity : (left.charCodeAt(0) * 3 + right.charCodeAt(0) * 5) % 4;
}

function naive(text: string): string[] {
  const symbols = [...text];
  for (;;) {
    let best = -1;
    let lowest = Infinity;
    for (let index = 0; index + 1 < symbols.length; index++) {
      const priority = priorityOf(symbols[index], symbols[index + 1]);
      if (priority < lowest) [best, lowest] = [index, priority];
    }
    if (best < 0) return symbols;
    symbols.splice(best, 2, symbols[best] + symbols[best + 1]);
  }
}

describe('the pair merger', () => {
  it('joins as the slow way does', () => {
    const merger = new PairMerger();
    assert(
      property(string({ unit: constantFrom(...'abcdefg'), maxLength: 600 }), (text) => {
        const starts = merger.merge(text.length, {
          priority: (left, right, end) => priorityOf(text.slice(left, right), text.slice(right, end)),
          joined: () => {},
        });
        expect(starts.map((start, index) => text.slice(start, starts[index + 1]))).toEqual(naive(text));
      }),
      { numRuns: 60 },
    );
  });
});
