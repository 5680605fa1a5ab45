import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highlightAreas } from './highlight.ts';
import { blocksOf, pageAt, sliceCharacters, slicesOf } from './slices.ts';

describe('slices', () => {
  it('hold every block of every page once, in order', () => {
    const lengths = fc.array(fc.array(fc.integer({ min: 1, max: 3 * sliceCharacters }), { maxLength: 5 }), { maxLength: 8 });
    fc.assert(
      fc.property(lengths, (document) => {
        let at = 0;
        const pages = document.map((blocks) => {
          const start = at;
          const placed = blocks.map((length) => ({ start: (at += 2) - 2, end: (at += length) }));
          return { start, end: at, blocks: placed };
        });
        const slices = slicesOf(pages);
        for (const [page, { blocks }] of pages.entries()) {
          const own = slices.filter((slice) => slice.page === page);
          expect(own.filter(({ first }) => first)).toHaveLength(1);
          expect(own.flatMap((slice) => blocksOf(blocks, slice))).toEqual(blocks);
        }
      }),
    );
  });

  it('finds the page of a character, and between two pages the one before', () => {
    const pages = [{ start: 0 }, { start: 10 }, { start: 30 }];
    expect([0, 9, 10, 29, 30, 99].map((character) => pageAt(pages, character))).toEqual([0, 0, 1, 1, 2, 2]);
  });
});

describe('highlighting', () => {
  const line = (start: number, x: number, y: number, width = 200) => ({ start, end: start + 10, x, y, width, height: 10 });

  it('makes one rectangle of the lines of a passage, over blocks that follow one another', () => {
    const boxes = [line(0, 150, 100, 100), line(10, 50, 112), line(20, 50, 140), line(30, 50, 152, 60)];
    expect(highlightAreas(boxes, [{ start: 0, end: 20 }, { start: 20, end: 40 }])).toEqual([{ x: 50, y: 100, width: 200, height: 62 }]);
  });

  it('makes one a column when a passage goes on in the next', () => {
    const boxes = [line(0, 50, 700), line(10, 50, 712), line(20, 320, 60), line(30, 320, 72)];
    expect(highlightAreas(boxes, [{ start: 0, end: 40 }])).toEqual([{ x: 50, y: 700, width: 200, height: 22 }, { x: 320, y: 60, width: 200, height: 22 }]);
  });

  it('joins runs of one line', () => {
    expect(highlightAreas([line(0, 50, 100, 40), line(10, 95, 100, 40)], [{ start: 0, end: 20 }])).toEqual([{ x: 50, y: 100, width: 85, height: 10 }]);
  });
});
