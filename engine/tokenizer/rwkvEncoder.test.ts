import { expect, test } from 'vitest';
import { readGguf } from '../formats/gguf/readGguf.ts';
import { seededRandom } from '../formats/quantisation/testing/seededRandom.ts';
import { openFamily } from '../testing/familyGoldens.ts';
import { createTokenizer } from './createTokenizer.ts';
import { bytesOfEscaped, RwkvEncoder } from './rwkvEncoder.ts';
import { Vocabulary } from './vocabulary.ts';

/** As Python writes bytes between its quotes. */
function escaped(bytes: Uint8Array): string {
  const named: Record<number, string> = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' };
  return [...bytes].map((byte) => named[byte] ?? (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`)).join('');
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const words = ['the', 'there', 'th', ' the', '\n\n', '\\', "'", '日本', '日', 'né', '  '];
const tokens = [new Uint8Array(0), ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), ...words.map(utf8), Uint8Array.of(0xe6, 0x97)];
const vocabulary = new Vocabulary(['<s>', ...tokens.slice(1).map(escaped)], [3]);
const encoder = new RwkvEncoder(vocabulary, 0);

function encode(text: string): { tokens: number[]; starts: number[] } {
  const found = { tokens: [] as number[], starts: [] as number[] };
  encoder.encode(text, (piece, start) => {
    found.tokens.push(...piece.tokens);
    found.starts.push(...piece.starts.map((place) => start + place));
  });
  return found;
}

test('escapes of Python, and characters themselves', () => {
  for (const bytes of tokens) expect(bytesOfEscaped(escaped(bytes))).toEqual(bytes);
  expect(bytesOfEscaped("\\'né\\\\x41")).toEqual(utf8("'né\\x41"));
});

test('the longest token that the text begins with, and where each starts', () => {
  const text = 'there the日本x\n\n😀th';
  const { tokens: ids, starts } = encode(text);
  expect(ids.map((id) => new TextDecoder('latin1').decode(tokens[id]))).toEqual(
    ['there', ' the', '日本', 'x', '\n\n', ...[...utf8('😀')].map((byte) => Uint8Array.of(byte)), 'th'].map((one) => new TextDecoder('latin1').decode(typeof one === 'string' ? utf8(one) : one)),
  );
  expect(starts).toEqual([0, 5, 9, 11, 12, 14, 14, 14, 14, 16]);
});

test('random texts: the bytes come back, and no token could have been longer', () => {
  const random = seededRandom(5);
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: 40 }, () => [...words, 'x', 'é', '😀', ' '][Math.floor(random() * (words.length + 4))]).join('');
    const bytes = utf8(text);
    let at = 0;
    for (const id of encode(text).tokens) {
      expect([...bytes.subarray(at, at + tokens[id].length)]).toEqual([...tokens[id]]);
      const longer = tokens.filter((other) => other.length > tokens[id].length && other.every((byte, i) => bytes[at + i] === byte));
      expect(longer).toEqual([]);
      at += tokens[id].length;
    }
    expect(at).toBe(bytes.length);
  }
});

test('a byte that no token has becomes the unknown one', () => {
  const found: number[] = [];
  new RwkvEncoder(new Vocabulary(['<s>', 'a', 'ab'], [3]), 0).encode('abz', (piece) => found.push(...piece.tokens));
  expect(found).toEqual([2, 0]);
});

test('a file is tokenised as llama.cpp does, and comes back', async () => {
  const { metadata } = await readGguf(openFamily('rwkv7'), {});
  const tokenizer = createTokenizer(metadata);
  const text = 'Hello there the world\n\n日本。😀 sing and "x" \\ tab\t    User: é';
  const ids = [261, 258, 115, 102, 258, 262, 259, 263, 271, 241, 160, 153, 129, 33, 116, 265, 267, 33, 35, 121, 35, 33, 93, 33, 117, 98, 99, 10, 264, 268, 270, 196, 170];
  expect(tokenizer.encode(text)).toEqual(ids);
  expect(tokenizer.decode(ids)).toBe(text);
  expect([...tokenizer.endTokens]).toEqual([0, 259]);
});
