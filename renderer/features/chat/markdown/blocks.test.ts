import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitBlocks } from './blocks.ts';

const markdown = fc
  .array(fc.constantFrom('# Title\n', 'words ', 'more words.\n', '\n', '\n\n', '- item\n', '  continued\n', '1. first\n', '```\n', '```ts\n', '~~~~\n', '| a | b |\n', '> quote\n', '    indented\n'), { maxLength: 40 })
  .map((parts) => parts.join(''));

describe('splitBlocks', () => {
  it('cuts at blank lines, but not inside code or lists', () => {
    const blocks = splitBlocks('One.\n\n```\na\n\nb\n```\n\n- x\n\n- y\n\n  more\n\nEnd.');
    expect(blocks).toEqual(['One.\n\n', '```\na\n\nb\n```\n\n', '- x\n\n- y\n\n  more\n\n', 'End.']);
  });

  it('does not take a longer or annotated fence for the end of a block of code', () => {
    expect(splitBlocks('````\n```\n\nstill code\n````\n\nAfter')).toEqual(['````\n```\n\nstill code\n````\n\n', 'After']);
  });

  it('keeps text with definitions whole', () => {
    const text = 'See [the site][1].\n\n[1]: https://example.org\n';
    expect(splitBlocks(text)).toEqual([text]);
  });

  it('gives the text back when joined', () => {
    fc.assert(fc.property(markdown, (text) => splitBlocks(text).join('') === text));
  });

  it('never changes a finished block when text is appended', () => {
    fc.assert(
      fc.property(markdown, fc.nat(), (text, cut) => {
        const before = splitBlocks(text.slice(0, cut % (text.length + 1)));
        const after = splitBlocks(text);
        expect(after.slice(0, Math.max(0, before.length - 1))).toEqual(before.slice(0, -1));
      }),
      { examples: [['1. one\n\n1. two\n', '1. one\n\n1'.length]] },
    );
  });
});
