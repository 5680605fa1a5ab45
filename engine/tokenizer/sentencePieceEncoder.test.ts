import { assert, constantFrom, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from './createTokenizer.ts';
import type { Tokenizer } from './tokenizer.ts';
import { sentencePieceMetadata } from './testing/testModels.ts';

const letters = ['▁', 'a', 'b', 'c', 'd', 'e'];
const words = ['▁a', 'ab', '▁ab', 'bc', 'cd', 'abc', '▁▁', '▁b', 'de', 'cde', ...letters];
const userDefined = ['\n', '\n\n', '  ', '<b>'];

function spellings(tokenizer: Tokenizer, text: string): string[] {
  return tokenizer.encode(text).map((token) => tokenizer.tokenText(token));
}

describe('SentencePiece encoding', () => {
  const tokenizer = createTokenizer(sentencePieceMetadata({ words, userDefined, extra: { add_space_prefix: false } }));

  it('joins the pair of the highest score first, the leftmost of equals', () => {
    expect(spellings(tokenizer, 'abc')).toEqual(['abc']);
    expect(spellings(tokenizer, ' abc')).toEqual(['▁ab', 'c']);
    expect(spellings(tokenizer, 'abcde')).toEqual(['ab', 'cde']);
    expect(spellings(tokenizer, 'aab')).toEqual(['a', 'ab']);
  });

  it('writes a character that is no token as bytes', () => {
    expect(spellings(tokenizer, 'aéb')).toEqual(['a', '<0xC3>', '<0xA9>', 'b']);
    expect(tokenizer.decode(tokenizer.encode('a😀b'))).toBe('a😀b');
  });

  it('matches user-defined tokens first, the longest one', () => {
    expect(spellings(tokenizer, 'a\n\n\nb')).toEqual(['a', '\n\n', '\n', 'b']);
    expect(spellings(tokenizer, 'a   b')).toEqual(['a', '  ', '▁b']);
    expect(spellings(tokenizer, 'a<b>b')).toEqual(['a', '<b>', 'b']);
  });

  it('never takes the name of a byte or a control token for the token', () => {
    const named = createTokenizer(
      sentencePieceMetadata({ words: ['<0', 'x41>', '<b', 'os>', ...'<>0x41bos'], extra: { add_space_prefix: false } }),
    );
    expect(spellings(named, '<0x41>')).not.toContain('<0x41>');
    expect(spellings(named, '<bos>')).not.toContain('<bos>');
  });

  it('puts a space in front when the file says so, and again after a whole token', () => {
    const prefixing = createTokenizer(sentencePieceMetadata({ words, userDefined, extra: { add_space_prefix: true } }));
    expect(spellings(prefixing, 'ab\nab')).toEqual(['▁ab', '\n', '▁ab']);
    expect(prefixing.encodeWithOffsets('ab\ncab ab').starts).toEqual([0, 2, 3, 3, 4, 6]);
  });

  it('decodes what it encoded', () => {
    assert(
      property(string({ unit: constantFrom(...'abcde \n<>', 'é', '😀', '中'), maxLength: 60 }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it('gives the same tokens word by word as over the whole text', () => {
    // `c▁a` lets a token cross a space, after which words can no longer be cut apart there.
    const crossing = createTokenizer(
      sentencePieceMetadata({ words: ['c▁', 'c▁a', ...words], extra: { add_space_prefix: false } }),
    );
    expect(spellings(crossing, 'c a b')).toEqual(['c▁a', '▁b']);
    assert(
      property(string({ unit: constantFrom(...'abcde '), maxLength: 40 }), (text) => {
        expect(spellings(tokenizer, text)).toEqual(naive(text));
      }),
    );
  });

  it('knows where each token starts', () => {
    expect(tokenizer.encodeWithOffsets('ab é\n\nabc 😀')).toEqual({
      tokens: tokenizer.encode('ab é\n\nabc 😀'),
      starts: [0, 2, 3, 3, 4, 6, 9, 10, 10, 10, 10],
    });
  });
});

/** The same result the slow way: over the whole text, the best pair again and again. */
function naive(text: string): string[] {
  const order = [...userDefined, ...words];
  const symbols = [...text.replaceAll('  ', '\u0001').replaceAll(' ', '▁')];
  for (;;) {
    let best = -1;
    let bestRank = Infinity;
    for (let index = 0; index + 1 < symbols.length; index++) {
      const rank = order.indexOf(symbols[index] + symbols[index + 1]);
      if (rank >= 0 && rank < bestRank) [best, bestRank] = [index, rank];
    }
    if (best < 0) return symbols.map((symbol) => (symbol === '\u0001' ? '  ' : symbol));
    symbols.splice(best, 2, symbols[best] + symbols[best + 1]);
  }
}
