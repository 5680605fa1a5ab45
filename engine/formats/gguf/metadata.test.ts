import { beforeAll, describe, expect, it } from 'vitest';
import type { GgufMetadata } from './metadata.ts';
import { readGguf } from './readGguf.ts';
import { memorySource } from './testing/memorySource.ts';
import { writeGguf } from './testing/writeGguf.ts';

let metadata: GgufMetadata;

beforeAll(async () => {
  const bytes = writeGguf({
    metadata: {
      text: { type: 'string', value: 'twelve' },
      essay: { type: 'string', value: 'word '.repeat(100) },
      count: { type: 'uint32', value: 12 },
      huge: { type: 'uint64', value: 2n ** 53n },
      rate: { type: 'float32', value: 0.5 },
      nothing: { type: 'float32', value: NaN },
      flag: { type: 'bool', value: false },
      words: { type: 'array', elementType: 'string', value: ['a', 'b'] },
      sizes: { type: 'array', elementType: 'int32', value: [1, 2, 3] },
    },
    tensors: [],
  });
  metadata = (await readGguf(memorySource(bytes))).metadata;
});

const damaged = 'tiny.gguf is damaged or was written wrongly: ';

describe('GgufMetadata', () => {
  it.each([
    ['string', 'count', 'the key "count" should hold a string, but it holds the uint32 12.'],
    ['string', 'absent', 'the key "absent" is missing; a string was expected.'],
    ['integer', 'text', 'the key "text" should hold an integer, but it holds the string "twelve".'],
    ['integer', 'essay', `the key "essay" should hold an integer, but it holds the string "${'word '.repeat(8)}…".`],
    ['integer', 'rate', 'the key "rate" should hold an integer, but it holds the float32 0.5.'],
    ['integer', 'flag', 'the key "flag" should hold an integer, but it holds the bool false.'],
    ['integer', 'huge', 'the key "huge" should hold an integer below 2^53, but it holds the uint64 9007199254740992.'],
    ['integer', 'sizes', 'the key "sizes" should hold an integer, but it holds an array of 3 int32.'],
    ['number', 'flag', 'the key "flag" should hold a number, but it holds the bool false.'],
    ['number', 'nothing', 'the key "nothing" should hold a finite number, but it holds the float32 NaN.'],
    ['boolean', 'count', 'the key "count" should hold a bool, but it holds the uint32 12.'],
    ['strings', 'sizes', 'the key "sizes" should hold an array of strings, but it holds an array of 3 int32.'],
    ['strings', 'text', 'the key "text" should hold an array of strings, but it holds the string "twelve".'],
    ['numbers', 'words', 'the key "words" should hold an array of numbers, but it holds an array of 2 string.'],
    ['booleans', 'sizes', 'the key "sizes" should hold an array of bools, but it holds an array of 3 int32.'],
  ] as const)('%s("%s") says what it found', (getter, key, message) => {
    expect(() => metadata[getter](key)).toThrow(
      expect.objectContaining({ code: 'gguf-invalid', message: damaged + message }),
    );
  });

  it('falls back only when a key is missing', () => {
    expect(metadata.stringOr('absent', 'x')).toBe('x');
    expect(metadata.integerOr('absent', 7)).toBe(7);
    expect(metadata.numberOr('absent', 0.5)).toBe(0.5);
    expect(metadata.booleanOr('absent', true)).toBe(true);
    expect(metadata.stringsOr('absent', [])).toEqual([]);
    expect(metadata.numbersOr('absent', [])).toEqual([]);
    expect(metadata.booleansOr('absent', [])).toEqual([]);
    expect(metadata.integerOr('count', 7)).toBe(12);
    expect(() => metadata.integerOr('text', 7)).toThrow('should hold an integer');
  });
});
