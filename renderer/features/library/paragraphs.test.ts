import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestPiece, splitParagraphs, takeParagraphs } from './paragraphs.ts';

describe('paragraphs', () => {
  it('splits at empty lines and keeps single line breaks', () => {
    expect(splitParagraphs('One\ntwo\n\n\nThree')).toEqual(['One\ntwo', 'Three']);
  });

  it('keeps an unfinished paragraph for the next slice', () => {
    expect(takeParagraphs('One\n\nTwo and')).toEqual({ paragraphs: ['One'], rest: 'Two and' });
    expect(takeParagraphs('One')).toEqual({ paragraphs: [], rest: 'One' });
  });

  it('loses no character that is not white space, whatever the slices', () => {
    const text = fc.array(fc.constantFrom('word ', 'x'.repeat(longestPiece), '\n', '\n\n'), { maxLength: 20 }).map((parts) => parts.join(''));
    const bare = (value: string) => value.replaceAll(/\s/g, '');
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 900 }), (whole, size) => {
        const paragraphs: string[] = [];
        let rest = '';
        for (let start = 0; start < whole.length; start += size) {
          const taken = takeParagraphs(rest + whole.slice(start, start + size));
          paragraphs.push(...taken.paragraphs);
          rest = taken.rest;
        }
        paragraphs.push(...splitParagraphs(rest));
        expect(bare(paragraphs.join(''))).toBe(bare(whole));
        expect(paragraphs.every((paragraph) => paragraph.length <= longestPiece)).toBe(true);
      }),
    );
  });
});
