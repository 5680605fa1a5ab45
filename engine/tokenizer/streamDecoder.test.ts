import { assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from './createTokenizer.ts';
import { byteLevelMetadata } from './testing/testModels.ts';

/** Every token is one byte, so that every character outside ASCII comes in parts. */
const tokenizer = createTokenizer(byteLevelMetadata({ control: ['<|im_end|>'] }));

describe('the stream decoder', () => {
  it('never emits a part of a character', () => {
    assert(
      property(string({ unit: 'binary' }), (text) => {
        const decoder = tokenizer.createStreamDecoder();
        const emitted = tokenizer.encode(text).map((token) => decoder.push(token));
        expect(emitted.join('')).toBe(text);
        expect(emitted.filter((part) => part !== '')).toEqual([...text]);
        expect(decoder.flush()).toBe('');
      }),
    );
  });

  it('replaces what is left of a character at the end', () => {
    const decoder = tokenizer.createStreamDecoder();
    const tokens = tokenizer.encode('a😀').slice(0, 3);
    expect(tokens.map((token) => decoder.push(token))).toEqual(['a', '', '']);
    expect(decoder.flush()).toBe('\uFFFD');
    expect(decoder.flush()).toBe('');
  });

  it('replaces bytes that are no character and goes on', () => {
    const decoder = tokenizer.createStreamDecoder();
    const [first] = tokenizer.encode('é');
    const [letter] = tokenizer.encode('x');
    expect([first, letter].map((token) => decoder.push(token)).join('')).toBe('\uFFFDx');
  });

  it('leaves out control tokens unless they are asked for', () => {
    const end = tokenizer.findToken('<|im_end|>') ?? -1;
    expect(tokenizer.createStreamDecoder().push(end)).toBe('');
    expect(tokenizer.createStreamDecoder({ special: true }).push(end)).toBe('<|im_end|>');
  });

  it('keeps a byte order mark', () => {
    expect(tokenizer.decode(tokenizer.encode('\uFEFFx'))).toBe('\uFEFFx');
  });
});
