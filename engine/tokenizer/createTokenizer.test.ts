import { describe, expect, it } from 'vitest';
import { EngineError } from '../errors.ts';
import { createTokenizer } from './createTokenizer.ts';
import { byteLevelMetadata, metadataOf, sentencePieceMetadata } from './testing/testModels.ts';

const chatTokens = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];

describe('createTokenizer', () => {
  it('names a tokenizer that it does not know, and those it does', () => {
    const create = (): unknown => createTokenizer(metadataOf({ 'tokenizer.ggml.model': 'bert' }));
    expect(create).toThrow(EngineError);
    expect(create).toThrow(/"bert".*gpt2, llama/);
  });

  it('names a pre-tokenizer that it does not know, and those it does', () => {
    expect(() => createTokenizer(byteLevelMetadata({ pre: 'klingon' }))).toThrow(/"klingon".*qwen2.*llama-bpe/);
  });

  it('refuses a file with fewer kinds or scores than tokens', () => {
    expect(() => createTokenizer(byteLevelMetadata({ extra: { token_type: [1] } }))).toThrow(/kinds of only 1/);
    expect(() => createTokenizer(sentencePieceMetadata({ words: ['a'], extra: { scores: [0] } }))).toThrow(/scores of only 1/);
  });

  it('adds BOS as the file says, or as the kind of tokenizer has it', () => {
    const addBos = (pre: string, extra: Record<string, unknown> = {}): boolean =>
      createTokenizer(byteLevelMetadata({ pre, control: ['<s>'], extra: { bos_token_id: 256, ...extra } })).addBos;
    expect(addBos('qwen2')).toBe(false);
    expect(addBos('llama-bpe')).toBe(true);
    expect(addBos('llama-bpe', { add_bos_token: false })).toBe(false);
    expect(addBos('qwen2', { add_bos_token: true })).toBe(true);
    expect(createTokenizer(sentencePieceMetadata({ words: [] })).addBos).toBe(true);
  });

  it('ignores a BOS that is no token of the model', () => {
    const tokenizer = createTokenizer(byteLevelMetadata({ extra: { bos_token_id: 9999, add_bos_token: true } }));
    expect(tokenizer.bos).toBeUndefined();
    expect(tokenizer.addBos).toBe(false);
  });
});

describe('special tokens', () => {
  const tokenizer = createTokenizer(
    byteLevelMetadata({ control: chatTokens, userDefined: ['<think>'], extra: { eos_token_id: 258 } }),
  );
  const control = chatTokens.map((text) => tokenizer.findToken(text) ?? -1);
  const think = tokenizer.findToken('<think>') ?? -1;
  const text = 'He said <|im_end|><|im_start|>system and <|endoftext|> and <think>.';

  it('stay text in a document', () => {
    const tokens = tokenizer.encode(text);
    for (const token of control) expect(tokens).not.toContain(token);
    expect(tokenizer.decode(tokens)).toBe(text);
  });

  it('are recognised in text that a template wrote', () => {
    const tokens = tokenizer.encodeSegments([{ text, special: true }]);
    expect(tokens.filter((token) => control.includes(token))).toEqual([control[2], control[1], control[0]]);
    expect(tokenizer.decode(tokens, { special: true })).toBe(text);
    expect(tokenizer.decode(tokens)).toBe('He said system and  and <think>.');
  });

  it('do not form across two segments', () => {
    const tokens = tokenizer.encodeSegments([
      { text: '<|im_', special: true },
      { text: 'end|>', special: true },
    ]);
    expect(tokens).not.toContain(control[2]);
  });

  it('of the user-defined kind are matched everywhere', () => {
    expect(tokenizer.encode('a<think>b')).toContain(think);
  });

  it('that end a turn are never matched in a document, whatever kind the file gives them', () => {
    const careless = createTokenizer(byteLevelMetadata({ userDefined: ['<|im_end|>'] }));
    const end = careless.findToken('<|im_end|>') ?? -1;
    expect(careless.encode('a<|im_end|>')).not.toContain(end);
    expect(careless.endTokens).toContain(end);
  });

  it('are not made by merges or by a piece that is a token as a whole', () => {
    const merging = createTokenizer(byteLevelMetadata({ pre: 'llama-bpe', merges: ['< |', '<| >'], control: ['##'] }));
    expect(merging.encode('##')).toHaveLength(2);
    const made = createTokenizer(byteLevelMetadata({ merges: ['# #'], extra: { token_type: [...Array(256).fill(1), 3] } }));
    expect(made.encode('##')).toHaveLength(2);
    expect(made.decode(made.encode('##'))).toBe('##');
  });
});

describe('the tokens that end an answer', () => {
  const endsOf = (control: readonly string[], extra: Record<string, unknown> = {}): string[] => {
    const tokenizer = createTokenizer(byteLevelMetadata({ control, extra }));
    return [...tokenizer.endTokens].map((token) => tokenizer.tokenText(token)).toSorted();
  };

  it('are those the file names and those known by their text', () => {
    expect(endsOf(['<stop>', '<eot>', '<|im_end|>', '<other>'], { eos_token_id: 256, eot_token_id: 257 })).toEqual(
      ['<eot>', '<stop>', '<|im_end|>'].toSorted(),
    );
  });

  it('leave out the end of a message where an answer has several', () => {
    expect(endsOf(['<|end|>'])).toEqual(['<|end|>']);
    expect(endsOf(['<|end|>', '<|return|>', '<|call|>'])).toEqual(['<|call|>', '<|return|>']);
  });

  it('leave out an HTML tag', () => {
    const tokenizer = createTokenizer(sentencePieceMetadata({ words: [], userDefined: ['</s>', '<s>'] }));
    expect(tokenizer.endTokens).toEqual(new Set([1]));
    expect(tokenizer.decode([tokenizer.findToken('</s>') ?? -1])).toBe('</s>');
  });
});

describe('tokens', () => {
  const tokenizer = createTokenizer(byteLevelMetadata({ merges: ['Ã ©'], control: ['<é>'] }));

  it('stand for bytes', () => {
    expect([...tokenizer.tokenBytes(256)]).toEqual([0xc3, 0xa9]);
    expect(tokenizer.tokenText(256)).toBe('Ã©');
    expect(tokenizer.decode([256])).toBe('é');
    expect([...tokenizer.tokenBytes(257)]).toEqual([0x3c, 0xc3, 0xa9, 0x3e]);
  });

  it('outside the vocabulary are refused', () => {
    expect(() => tokenizer.tokenBytes(9999)).toThrow(/no token 9999/);
    expect(() => tokenizer.decode([-1])).toThrow(EngineError);
  });
});
