import { describe, expect, it } from 'vitest';
import { blockEnds, blockLimit } from './textBlocks.ts';

describe('blocks of a long text', () => {
  it('are one for an ordinary text and none for an empty one', () => {
    expect(blockEnds('')).toEqual([]);
    expect(blockEnds('one two')).toEqual([7]);
  });

  it('end after a letter that a space follows', () => {
    const text = 'word, '.repeat(20).concat('word '.repeat(500_000));
    const ends = blockEnds(text);
    expect(ends.at(-1)).toBe(text.length);
    for (const end of ends.slice(0, -1)) expect(text.slice(end - 1, end + 1)).toBe('d ');
    expect(ends.length).toBe(Math.ceil(text.length / blockLimit));
  });

  it('are cut anywhere but inside a character when no such place is near', () => {
    const text = `x${'😀'.repeat(blockLimit)}`;
    for (const end of blockEnds(text).slice(0, -1)) expect(text.charCodeAt(end)).toBe(0xd83d);
  });
});
