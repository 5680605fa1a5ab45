import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeTensor } from '../quantisation/testing/encodeTensor.ts';
import type { GgufMetadata } from './metadata.ts';
import { readGguf } from './readGguf.ts';
import { cpuMilliseconds } from './testing/cpuMilliseconds.ts';
import { memorySource } from './testing/memorySource.ts';
import { writeGguf, type ValueToWrite } from './testing/writeGguf.ts';

const getterOf: Partial<Record<ValueToWrite['type'], (metadata: GgufMetadata, key: string) => unknown>> = {
  string: (metadata, key) => metadata.string(key),
  int64: (metadata, key) => metadata.integer(key),
  float64: (metadata, key) => metadata.number(key),
  bool: (metadata, key) => metadata.boolean(key),
  array: (metadata, key) => metadata.strings(key),
};

const ramp = Float32Array.from({ length: 64 }, (_, index) => index / 64);

describe('readGguf', () => {
  it('reads metadata of every type and finds tensors', async () => {
    const bytes = writeGguf({
      metadata: {
        'general.architecture': { type: 'string', value: 'llama' },
        'a.u8': { type: 'uint8', value: 255 },
        'a.i8': { type: 'int8', value: -128 },
        'a.u16': { type: 'uint16', value: 65535 },
        'a.i16': { type: 'int16', value: -32768 },
        'a.u32': { type: 'uint32', value: 4294967295 },
        'a.i32': { type: 'int32', value: -2147483648 },
        'a.u64': { type: 'uint64', value: 2n ** 53n - 1n },
        'a.i64': { type: 'int64', value: -5n },
        'a.f32': { type: 'float32', value: 0.5 },
        'a.f64': { type: 'float64', value: 1e-300 },
        'a.yes': { type: 'bool', value: true },
        'a.texts': { type: 'array', elementType: 'string', value: ['', 'Ġthe', '\uFEFF', '日本語'] },
        'a.scores': { type: 'array', elementType: 'float32', value: [-1.5, 0, 2] },
        'a.heads': { type: 'array', elementType: 'int64', value: [8n, 0n] },
        'a.flags': { type: 'array', elementType: 'bool', value: [true, false] },
        'a.none': { type: 'array', elementType: 'string', value: [] },
      },
      tensors: [
        { name: 'token_embd.weight', dims: [32, 2], type: 'Q8_0', bytes: encodeTensor('Q8_0', ramp) },
        { name: 'output_norm.weight', dims: [3], type: 'F32', bytes: encodeTensor('F32', ramp.subarray(0, 3)) },
        { name: 'rope', dims: [1, 2, 1, 2], type: 'F16', bytes: encodeTensor('F16', ramp.subarray(0, 4)) },
      ],
    });
    const source = memorySource(bytes);
    const { version, alignment, metadata, tensors, dataOffsetBytes } = await readGguf(source);
    expect({ version, alignment }).toEqual({ version: 3, alignment: 32 });
    expect(metadata.string('general.architecture')).toBe('llama');
    const integers = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'u64', 'i64'].map((type) => metadata.integer(`a.${type}`));
    expect(integers).toEqual([255, -128, 65535, -32768, 4294967295, -2147483648, 2 ** 53 - 1, -5]);
    expect([metadata.number('a.f32'), metadata.number('a.f64'), metadata.number('a.i8')]).toEqual([0.5, 1e-300, -128]);
    expect(metadata.boolean('a.yes')).toBe(true);
    expect(metadata.strings('a.texts')).toEqual(['', 'Ġthe', '\uFEFF', '日本語']);
    expect(metadata.strings('a.none')).toEqual([]);
    expect(metadata.numbers('a.scores')).toEqual([-1.5, 0, 2]);
    expect(metadata.numbers('a.heads')).toEqual([8, 0]);
    expect(metadata.booleans('a.flags')).toEqual([true, false]);
    expect(metadata.isArray('a.heads')).toBe(true);
    expect(metadata.isArray('a.u8')).toBe(false);
    expect(metadata.keys().slice(0, 2)).toEqual(['general.architecture', 'a.u8']);

    expect(dataOffsetBytes % 32).toBe(0);
    expect([...tensors.values()]).toEqual([
      { name: 'token_embd.weight', dims: [32, 2], type: 'Q8_0', offsetBytes: dataOffsetBytes, sizeBytes: 68 },
      { name: 'output_norm.weight', dims: [3], type: 'F32', offsetBytes: dataOffsetBytes + 96, sizeBytes: 12 },
      { name: 'rope', dims: [1, 2, 1, 2], type: 'F16', offsetBytes: dataOffsetBytes + 128, sizeBytes: 8 },
    ]);
    const norm = tensors.get('output_norm.weight')!;
    const normBytes = await source.read(norm.offsetBytes, norm.sizeBytes);
    expect(normBytes).toEqual(encodeTensor('F32', ramp.subarray(0, 3)));
  });

  it('reads version 2, other alignments and a file without tensors', async () => {
    const old = await readGguf(memorySource(writeGguf({ metadata: {}, tensors: [], version: 2 })));
    expect([old.version, old.tensors.size, old.metadata.keys().length]).toEqual([2, 0, 0]);

    const bytes = encodeTensor('F32', ramp.subarray(0, 1));
    const pair = ['a', 'b'].map((name) => ({ name, dims: [1], type: 'F32' as const, bytes }));
    const wide = await readGguf(memorySource(writeGguf({ metadata: {}, tensors: pair, alignment: 4096 })));
    expect(wide.alignment).toBe(4096);
    expect([...wide.tensors.values()].map((tensor) => tensor.offsetBytes)).toEqual([4096, 8192]);
  });

  it('does not need the padding after the last tensor', async () => {
    const tensor = { name: 'a', dims: [1], type: 'F32' as const, bytes: encodeTensor('F32', ramp.subarray(0, 1)) };
    const padded = writeGguf({ metadata: {}, tensors: [tensor] });
    const { tensors } = await readGguf(memorySource(padded.subarray(0, padded.length - 28)));
    expect(tensors.get('a')!.sizeBytes).toBe(4);
  });

  it('reads what was written, whatever it is', async () => {
    const value: fc.Arbitrary<ValueToWrite> = fc.oneof(
      fc.record({ type: fc.constant('string' as const), value: fc.string({ unit: 'binary' }) }),
      fc.record({ type: fc.constant('int64' as const), value: fc.maxSafeInteger() }),
      fc.record({ type: fc.constant('float64' as const), value: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
      fc.record({ type: fc.constant('bool' as const), value: fc.boolean() }),
      fc.record({
        type: fc.constant('array' as const),
        elementType: fc.constant('string' as const),
        value: fc.array(fc.string({ unit: 'binary' })),
      }),
    );
    const key = fc.string({ minLength: 1, unit: 'grapheme' }).map((text) => `key.${text}`);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(key, value, { maxKeys: 8 }), async (metadata) => {
        const read = (await readGguf(memorySource(writeGguf({ metadata, tensors: [] })))).metadata;
        expect(read.keys()).toEqual(Object.keys(metadata));
        for (const [name, { type, value }] of Object.entries(metadata)) expect(getterOf[type]?.(read, name)).toEqual(value);
      }),
      { numRuns: 40 },
    );
  });

  it('fetches a large header in growing ranges, each byte once, and quickly', async () => {
    const tokens = Array.from({ length: 262144 }, (_, index) => (index % 2 ? `Ġtoken${index}` : `some longer token ${index}`));
    const bytes = writeGguf({
      metadata: {
        'tokenizer.ggml.tokens': { type: 'array', elementType: 'string', value: tokens },
        'tokenizer.ggml.scores': { type: 'array', elementType: 'float32', value: tokens.map((_, index) => -index) },
      },
      tensors: [{ name: 'a', dims: [2 ** 22], type: 'F32', bytes: new Uint8Array(2 ** 24) }],
    });
    const source = memorySource(bytes);
    const { metadata, dataOffsetBytes } = await readGguf(source);
    expect(source.readBytes).toBeLessThanOrEqual(2 * dataOffsetBytes);
    const decoded = metadata.strings('tokenizer.ggml.tokens');
    expect(decoded.length).toBe(tokens.length);
    expect(decoded.findIndex((token, index) => token !== tokens[index])).toBe(-1);
    expect(metadata.numbers('tokenizer.ggml.scores').at(-1)).toBe(-262143);
    // Some 200 ms on an idle machine; the bound is there to catch work that grows faster than the header.
    const again = async () => (await readGguf(memorySource(bytes))).metadata.strings('tokenizer.ggml.tokens');
    expect(await cpuMilliseconds(again)).toBeLessThan(1500);
  });

  it('stops when asked', async () => {
    const controller = new AbortController();
    controller.abort();
    const reading = readGguf(memorySource(writeGguf({ metadata: {}, tensors: [] })), { signal: controller.signal });
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('reports a source that gives fewer bytes than it was asked for', async () => {
    const source = { ...memorySource(writeGguf({ metadata: {}, tensors: [] })), read: async () => new Uint8Array(5) };
    await expect(readGguf(source)).rejects.toMatchObject({
      code: 'gguf-truncated',
      message: 'tiny.gguf ends too early: its header needs bytes 0 to 32, but the file has 5 bytes.',
    });
  });
});
