import { standInOf } from '../byteAlphabet.ts';
import type { TokenizerMetadata } from '../metadata.ts';

/** Metadata from a plain record, as a model file would hold it. */
export function metadataOf(values: Readonly<Record<string, unknown>>): TokenizerMetadata {
  const get = <T>(key: string): T => {
    if (!(key in values)) throw new Error(`the key "${key}" is missing`);
    return values[key] as T;
  };
  return {
    has: (key) => key in values,
    string: (key) => get<string>(key),
    strings: (key) => get<readonly string[]>(key),
    numbers: (key) => get<readonly number[]>(key),
    stringOr: (key, fallback) => (key in values ? get<string>(key) : fallback),
    integerOr: (key, fallback) => (key in values ? get<number>(key) : fallback),
    booleanOr: (key, fallback) => (key in values ? get<boolean>(key) : fallback),
  };
}

export interface ByteLevelOptions {
  readonly pre?: string;
  /** "left right", the most important first. */
  readonly merges?: readonly string[];
  readonly control?: readonly string[];
  readonly userDefined?: readonly string[];
  /** More keys, without `tokenizer.ggml.`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A byte-level model: the 256 bytes, one token for each merge, then control and user-defined tokens. */
export function byteLevelMetadata(options: ByteLevelOptions = {}): TokenizerMetadata {
  const { pre = 'gpt-2', merges = [], control = [], userDefined = [], extra = {} } = options;
  const ordinary = [...byteTokens(), ...merges.map((merge) => merge.replace(' ', ''))];
  return metadataOf({
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': pre,
    'tokenizer.ggml.tokens': [...ordinary, ...control, ...userDefined],
    'tokenizer.ggml.token_type': [...ordinary.map(() => 1), ...control.map(() => 3), ...userDefined.map(() => 4)],
    'tokenizer.ggml.merges': merges,
    ...withPrefix(extra),
  });
}

/** GPT-2's model from its merges file: a line with the version, then one merge a line. */
export function gpt2Metadata(mergesFile: string, options: ByteLevelOptions = {}): TokenizerMetadata {
  const merges = mergesFile.split('\n').slice(1).filter((line) => line !== '');
  return byteLevelMetadata({ control: ['<|endoftext|>'], ...options, merges });
}

/** A SentencePiece model: control tokens, 256 byte tokens, then `words` with falling scores. */
export function sentencePieceMetadata(options: {
  readonly words: readonly string[];
  readonly userDefined?: readonly string[];
  readonly control?: readonly string[];
  readonly extra?: Readonly<Record<string, unknown>>;
}): TokenizerMetadata {
  const { words, userDefined = [], control = ['<bos>', '<eos>'], extra = {} } = options;
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = [...control, ...bytes, ...userDefined, ...words];
  return metadataOf({
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': [
      ...control.map(() => 3),
      ...bytes.map(() => 6),
      ...userDefined.map(() => 4),
      ...words.map(() => 1),
    ],
    'tokenizer.ggml.scores': tokens.map((_, index) => -index),
    ...withPrefix({ bos_token_id: 0, eos_token_id: 1, ...extra }),
  });
}

/** GPT-2's order: the bytes that stand for themselves, then the others. */
function byteTokens(): string[] {
  const all = Array.from({ length: 256 }, (_, byte) => standInOf(byte));
  const isItself = (standIn: string, byte: number): boolean => standIn.charCodeAt(0) === byte;
  return [...all.filter(isItself), ...all.filter((standIn, byte) => !isItself(standIn, byte))];
}

function withPrefix(extra: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(extra).map(([key, value]) => [`tokenizer.ggml.${key}`, value]));
}
