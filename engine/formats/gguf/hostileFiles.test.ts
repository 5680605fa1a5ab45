import { describe, expect, it } from 'vitest';
import { EngineError } from '../../errors.ts';
import { encodeTensor } from '../quantisation/testing/encodeTensor.ts';
import { readGguf } from './readGguf.ts';
import { ByteWriter } from './testing/byteWriter.ts';
import { memorySource } from './testing/memorySource.ts';
import { writeGguf, type TensorToWrite, type ValueToWrite } from './testing/writeGguf.ts';

const text = (content: string) => new TextEncoder().encode(content);
const header = (tensorCount: number | bigint, keyCount: number | bigint) =>
  new ByteWriter().ascii('GGUF').uint32(3).uint64(tensorCount).uint64(keyCount);
const withKeys = (metadata: Record<string, ValueToWrite>) => writeGguf({ metadata, tensors: [] });

const fourFloats = encodeTensor('F32', new Float32Array(4));
const tensor = (change: Partial<TensorToWrite> = {}): TensorToWrite => ({
  name: 'w',
  dims: [4],
  type: 'F32',
  bytes: fourFloats,
  ...change,
});
const withTensors = (...tensors: TensorToWrite[]) => writeGguf({ metadata: {}, tensors });

/** A file with one tensor entry and 64 bytes of data, whose fields are given raw. */
function rawTensor(dims: readonly (number | bigint)[], typeId: number, offsetBytes: number | bigint): Uint8Array {
  const file = header(1, 0).text('w').uint32(dims.length);
  for (const dim of dims) file.uint64(dim);
  return file.uint32(typeId).uint64(offsetBytes).padTo(32).bytes(new Uint8Array(64)).finish();
}

async function failureOf(bytes: Uint8Array): Promise<EngineError> {
  const source = memorySource(bytes);
  try {
    await readGguf(source);
  } catch (error) {
    expect(error).toBeInstanceOf(EngineError);
    expect(source.readBytes).toBeLessThanOrEqual(bytes.length);
    return error as EngineError;
  }
  throw new Error('The file was read without an error.');
}

const damaged = (why: string) => `tiny.gguf is damaged or was written wrongly: ${why}.`;

describe('files that are no GGUF', () => {
  it.each([
    ['an empty file', new Uint8Array(0), 'tiny.gguf is empty (0 bytes).'],
    ['a web page', text('<!DOCTYPE html><html>'), 'tiny.gguf is not a GGUF file: it begins with "<!DO", not with "GGUF".'],
    [
      'a zip archive',
      Uint8Array.of(0x50, 0x4b, 0x03, 0x04, 0x14),
      'tiny.gguf is not a GGUF file: it begins with the bytes 50 4b 03 04, not with "GGUF".',
    ],
    ['one letter', text('x'), 'tiny.gguf is not a GGUF file: it begins with "x", not with "GGUF".'],
    [
      'a Git LFS pointer',
      text(`version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 98362432\n`),
      'tiny.gguf is a Git LFS pointer: a short text that stands for the model, not the model itself.',
    ],
  ])('reports %s', async (_, bytes, message) => {
    expect(await failureOf(bytes)).toMatchObject({ code: 'not-a-gguf', message });
  });
});

describe('versions', () => {
  const ofVersion = (version: number) => writeGguf({ metadata: {}, tensors: [], version });
  it.each([
    [0, 'tiny.gguf has GGUF version 0; versions 2 and 3 can be read.', 'Choose a newer file of this model.'],
    [1, 'tiny.gguf has GGUF version 1; versions 2 and 3 can be read.', 'Choose a newer file of this model.'],
    [
      4,
      'tiny.gguf has GGUF version 4; versions 2 and 3 can be read.',
      'Update Longleaf, or choose another file of this model.',
    ],
    [
      0x03000000,
      'tiny.gguf is stored big-endian, for another kind of processor.',
      'Download the little-endian file of this model, which is the usual one.',
    ],
  ])('refuses version %i', async (version, message, remedy) => {
    expect(await failureOf(ofVersion(version))).toMatchObject({ code: 'gguf-unsupported-version', message, remedy });
  });
});

describe('truncated files', () => {
  it('reports a cut at every 7th byte', async () => {
    const bytes = writeGguf({
      metadata: {
        'general.architecture': { type: 'string', value: 'llama' },
        'llama.block_count': { type: 'uint32', value: 2 },
        tokens: { type: 'array', elementType: 'string', value: ['one', 'two', 'three'] },
        scores: { type: 'array', elementType: 'float32', value: [1, 2, 3] },
      },
      tensors: [tensor(), tensor({ name: 'v', dims: [32], type: 'Q4_0', bytes: new Uint8Array(18) })],
    });
    // The last tensor's 14 bytes of padding may be absent.
    for (let cutBytes = 7; cutBytes < bytes.length - 14; cutBytes += 7) {
      const failure = await failureOf(bytes.subarray(0, cutBytes));
      expect(failure.code, `cut at ${cutBytes}: ${failure.message}`).toBe('gguf-truncated');
      expect(failure.message).toMatch(/^tiny\.gguf ends too early: .+ needs bytes \d+ to \d+, but the file has \d+ bytes\.$/);
      expect(failure.message).toContain(`but the file has ${cutBytes} bytes.`);
    }
  });

  it.each([
    ['magic', text('GGU'), 'the start of the file needs bytes 0 to 4, but the file has 3 bytes'],
    ['version', text('GGUF\u0003'), 'the version needs bytes 4 to 8, but the file has 5 bytes'],
    ['key', header(0, 1).uint64(10).ascii('gen').finish(), 'key 1 of 1 needs bytes 32 to 42, but the file has 35 bytes'],
    [
      'string',
      header(0, 1).text('k').uint32(8).uint64(2 ** 20).finish(),
      'the value of "k" needs bytes 45 to 1048621, but the file has 45 bytes',
    ],
    [
      'numbers',
      header(0, 1).text('k').uint32(9).uint32(6).uint64(1000).finish(),
      'the value of "k" needs bytes 49 to 4049, but the file has 49 bytes',
    ],
    [
      'strings',
      header(0, 1).text('k').uint32(9).uint32(8).uint64(1000).finish(),
      'the value of "k" needs bytes 49 to 8049, but the file has 49 bytes',
    ],
    [
      'one of many strings',
      header(0, 1).text('k').uint32(9).uint32(8).uint64(2).text('a').uint64(9).finish(),
      'string 1 of the value of "k" needs bytes 66 to 75, but the file has 66 bytes',
    ],
    ['tensor', rawTensor([32], 0, 0).subarray(0, 128), 'tensor "w" needs bytes 64 to 192, but the file has 128 bytes'],
  ])('names the part: %s', async (_, bytes, message) => {
    expect(await failureOf(bytes)).toMatchObject({
      code: 'gguf-truncated',
      message: `tiny.gguf ends too early: ${message}.`,
      remedy: 'The download is probably incomplete; download the file again.',
    });
  });
});

describe('damaged headers', () => {
  it.each([
    [
      'a tensor count of 2^63',
      header(2n ** 63n, 0).finish(),
      'the tensor count is 9223372036854775808, more than the 1000000 that make sense',
    ],
    [
      'a key count of 2^63',
      header(0, 2n ** 63n).finish(),
      'the key count is 9223372036854775808, more than the 100000 that make sense',
    ],
    [
      'a string of 2^40 bytes',
      header(0, 1).text('k').uint32(8).uint64(2 ** 40).finish(),
      'the length of the value of "k" is 1099511627776, more than the 16777216 that make sense',
    ],
    [
      'a string of 2^40 bytes in an array',
      header(0, 1).text('k').uint32(9).uint32(8).uint64(1).uint64(2 ** 40).finish(),
      'the length of string 0 of the value of "k" is 1099511627776, more than the 16777216 that make sense',
    ],
    [
      'an array of 2^60 numbers',
      header(0, 1).text('k').uint32(9).uint32(4).uint64(2n ** 60n).finish(),
      'the element count of the value of "k" is 1152921504606846976, more than the 16777216 that make sense',
    ],
    [
      'an array of arrays',
      header(0, 1).text('k').uint32(9).uint32(9).uint64(1).finish(),
      'the value of "k" is an array of arrays, which is not supported',
    ],
    [
      'an unknown value type',
      header(0, 1).text('k').uint32(13).finish(),
      'the value of "k" has type 13, and the types end at 12',
    ],
    ['a bool of 2', header(0, 1).text('k').uint32(7).bytes(Uint8Array.of(2)).finish(), 'the value of "k" is a bool but holds 2'],
    ['an empty key', header(0, 1).text('').uint32(0).finish(), 'key 1 of 1 has no name'],
    [
      'a key that is not text',
      header(0, 1).uint64(2).bytes(Uint8Array.of(0xc3, 0x28)).finish(),
      'key 1 of 1 at byte 32 is not UTF-8 text',
    ],
    [
      'a duplicate key',
      header(0, 2).text('k').uint32(0).bytes(Uint8Array.of(1)).text('k').finish(),
      'the key "k" occurs twice',
    ],
    [
      'an alignment of 0',
      withKeys({ 'general.alignment': { type: 'uint32', value: 0 } }),
      'general.alignment is 0, not a power of two up to 2^31',
    ],
    [
      'an alignment of 3',
      withKeys({ 'general.alignment': { type: 'uint32', value: 3 } }),
      'general.alignment is 3, not a power of two up to 2^31',
    ],
    [
      'an alignment that is text',
      withKeys({ 'general.alignment': { type: 'string', value: '32' } }),
      'the key "general.alignment" should hold an integer, but it holds the string "32"',
    ],
  ])('reports %s', async (_, bytes, why) => {
    expect(await failureOf(bytes)).toMatchObject({ code: 'gguf-invalid', message: damaged(why) });
  });

  it('refuses a header too large to hold, though the file could contain it', async () => {
    const start = header(0, 1).text('k').uint32(9).uint32(12).uint64(2 ** 24).finish();
    let readBytes = 0;
    const source = {
      name: 'tiny.gguf',
      sizeBytes: 2 ** 40,
      async read(offsetBytes: number, lengthBytes: number) {
        readBytes += lengthBytes;
        const bytes = new Uint8Array(lengthBytes);
        if (offsetBytes === 0) bytes.set(start);
        return bytes;
      },
    };
    await expect(readGguf(source)).rejects.toMatchObject({
      code: 'gguf-invalid',
      message: damaged('its header passes 134217728 bytes at the value of "k"'),
    });
    expect(readBytes).toBe(2 ** 20);
  });
});

describe('damaged tensor lists', () => {
  it.each([
    ['a duplicate name', withTensors(tensor(), tensor()), 'the tensor name "w" occurs twice'],
    [
      'a long name',
      withTensors(tensor({ name: 'w'.repeat(65) })),
      'the length of the name of tensor 1 of 1 is 65, more than the 64 that make sense',
    ],
    ['no dimensions', rawTensor([], 0, 0), 'tensor "w" has 0 dimensions, and 1 to 4 are allowed'],
    ['five dimensions', rawTensor([1, 1, 1, 1, 1], 0, 0), 'tensor "w" has 5 dimensions, and 1 to 4 are allowed'],
    ['a dimension of 0', rawTensor([4, 0], 0, 0), 'dimension 1 of tensor "w" is 0'],
    [
      'a dimension of 2^63',
      rawTensor([2n ** 63n], 0, 0),
      'dimension 0 of tensor "w" is 9223372036854775808, more than the 9007199254740991 that make sense',
    ],
    [
      'a product that overflows 64 bits to a small number',
      rawTensor([2n ** 32n, 2n ** 32n], 0, 0),
      'tensor "w" has 4294967296 × 4294967296 weights, more than can be counted',
    ],
    [
      'a row that is no whole number of blocks',
      rawTensor([33], 8, 0),
      'the rows of tensor "w" have 33 weights, not a multiple of the 32 in a Q8_0 block',
    ],
    [
      'an offset that is not aligned',
      rawTensor([4], 0, 4),
      'tensor "w" starts at byte 4 of the data, not a multiple of the alignment 32',
    ],
    [
      'an offset that leaves a gap',
      rawTensor([4], 0, 32),
      'tensor "w" starts at byte 32 of the data, but the tensors before it end at byte 0',
    ],
    [
      'an offset of nearly 2^64',
      rawTensor([4], 0, 2n ** 64n - 32n),
      'tensor "w" starts at byte 18446744073709551584 of the data, but the tensors before it end at byte 0',
    ],
    [
      'an overlap',
      withTensors(tensor({ bytes: new Uint8Array(0) }), tensor({ name: 'v' })),
      'tensor "v" starts at byte 0 of the data, but the tensors before it end at byte 32',
    ],
  ])('reports %s', async (_, bytes, why) => {
    expect(await failureOf(bytes)).toMatchObject({ code: 'gguf-invalid', message: damaged(why) });
  });

  it.each([
    [31, 'type 31 (Q4_0_4_4, which was removed from the format)'],
    [4, 'type 4 (Q4_2, which was removed from the format)'],
    [9, 'type 9 (Q8_1, which is no storage type)'],
    [99, 'type 99 (unknown to this version)'],
    [4294967295, 'type 4294967295 (unknown to this version)'],
  ])('reports quantisation id %i', async (id, why) => {
    expect(await failureOf(rawTensor([32], id, 0))).toMatchObject({
      code: 'unknown-quantisation',
      message: `tiny.gguf cannot be read: tensor "w" has ${why}.`,
      remedy: 'Choose another quantisation of this model, for example Q4_K_M or Q8_0.',
    });
  });

  it('reports one part of a split model', async () => {
    const bytes = withKeys({ 'split.no': { type: 'uint16', value: 1 }, 'split.count': { type: 'uint16', value: 3 } });
    expect(await failureOf(bytes)).toMatchObject({
      code: 'model-incomplete',
      message: 'tiny.gguf is part 2 of a model split into 3 files, and is of no use alone.',
    });
  });
});
