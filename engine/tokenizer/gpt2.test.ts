import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { array, assert, boolean, nat, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from './createTokenizer.ts';
import { preTokenizers } from './preTokenizers.ts';
import { gpt2Metadata } from './testing/testModels.ts';
import { wellFormed } from './utf8.ts';

const folder = new URL('./testdata/', import.meta.url);
const merges = gunzipSync(readFileSync(new URL('gpt2-merges.txt.gz', folder))).toString('utf8');
const tokenizer = createTokenizer(gpt2Metadata(merges));

describe('the GPT-2 vocabulary', () => {
  const texts = readFileSync(new URL('gpt2-vectors.inp', folder), 'utf8').split('\n__ggml_vocab_test__\n');
  const expected = readFileSync(new URL('gpt2-vectors.out', folder), 'utf8').split('\n');

  it.each(texts.map((text, index) => [text, expected[index].trim()]))('encodes %j as llama.cpp does', (text, ids) => {
    expect(tokenizer.encode(text).join(' ')).toBe(ids);
  });

  it('decodes what it encoded, whatever the text', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it.each([...preTokenizers.keys()])('decodes what it encoded with the pre-tokenizer %s', (pre) => {
    const other = createTokenizer(gpt2Metadata(merges, { pre }));
    assert(
      property(string({ unit: 'grapheme', maxLength: 80 }), (text) => {
        expect(other.decode(other.encode(text))).toBe(text);
      }),
      { numRuns: 30 },
    );
  });

  it('takes a lone surrogate as U+FFFD', () => {
    assert(
      property(string({ unit: nat(0xffff).map((unit) => String.fromCharCode(unit)) }), (text) => {
        const tokens = tokenizer.encode(text);
        expect(tokens).toEqual(tokenizer.encode(wellFormed(text)));
        expect(tokenizer.decode(tokens)).toBe(wellFormed(text));
      }),
    );
    expect(tokenizer.decode(tokenizer.encode('a\ud83db'))).toBe('a\ufffdb');
  });

  it('knows where each token starts', () => {
    assert(
      property(string({ unit: 'grapheme', maxLength: 100 }), (given) => {
        // U+FFFD is what an incomplete character decodes to.
        const text = given.replaceAll('\uFFFD', '?');
        const { tokens, starts } = tokenizer.encodeWithOffsets(text);
        expect(tokens).toEqual(tokenizer.encode(text));
        expect(starts).toHaveLength(tokens.length);
        for (let index = 0; index < tokens.length; index++) {
          const before = tokenizer.decode(tokens.slice(0, index)).replace(/\uFFFD+$/u, '');
          expect(text.startsWith(before)).toBe(true);
          expect(starts[index]).toBe(before.length);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('counts the tokens of a segment on its own, so that equal beginnings give equal tokens', () => {
    assert(
      property(array(string({ maxLength: 20 }), { maxLength: 5 }), boolean(), (texts, special) => {
        const segments = texts.map((text) => ({ text, special }));
        const whole = tokenizer.encodeSegments(segments);
        expect(whole).toEqual(segments.flatMap((segment) => tokenizer.encodeSegments([segment])));
      }),
    );
  });
});
