import { describe, expect, it } from 'vitest';
import { dequantise, canDequantise } from './dequantise.ts';
import { tensorType, tensorTypeOfId, describeRefusedId, type TensorTypeName } from './tensorTypes.ts';
import vectors from './testdata/quant_vectors.json';

function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16));
}

describe('dequantise', () => {
  it.each(Object.entries(vectors))('decodes a random block of %s exactly as gguf-py', (name, vector) => {
    const type = tensorTypeOfId(vector.type_id)!;
    expect(type).toBe(name);
    expect(tensorType(type)).toEqual({
      id: vector.type_id,
      blockElements: vector.block_elems,
      blockBytes: vector.block_bytes,
    });
    const weights = dequantise(type, bytesOfHex(vector.hex), vector.values.length);
    expect(Array.from(weights)).toEqual(vector.values);
  });

  it.each(Object.entries(vectors))('decodes several blocks of %s from an odd offset', (name, vector) => {
    const block = bytesOfHex(vector.hex);
    const padded = new Uint8Array(1 + 3 * block.length);
    for (let copy = 0; copy < 3; copy++) padded.set(block, 1 + copy * block.length);
    const weights = dequantise(name as TensorTypeName, padded.subarray(1), 3 * vector.values.length);
    expect(Array.from(weights)).toEqual([...vector.values, ...vector.values, ...vector.values]);
  });

  it('decodes the plain types, from an odd offset too', () => {
    const padded = Uint8Array.of(0xff, 0x00, 0x3c, 0x00, 0xc0);
    expect(Array.from(dequantise('F16', padded.subarray(1), 2))).toEqual([1, -2]);
    expect(Array.from(dequantise('BF16', Uint8Array.of(0x80, 0x3f, 0x00, 0xc0), 2))).toEqual([1, -2]);
    expect(Array.from(dequantise('F32', new Uint8Array(Float32Array.of(1.5, -3e38).buffer), 2))).toEqual([
      1.5,
      Math.fround(-3e38),
    ]);
  });

  it('names a type it cannot decode', () => {
    expect(canDequantise('IQ2_XXS')).toBe(false);
    expect(canDequantise('Q4_K')).toBe(true);
    expect(() => dequantise('IQ2_XXS', new Uint8Array(66), 256)).toThrow(
      'This model holds weights of type IQ2_XXS, which Longleaf cannot compute with.',
    );
  });

  it('refuses bytes that do not fit the count', () => {
    expect(() => dequantise('Q4_0', new Uint8Array(17), 32)).toThrow(
      '32 weights of type Q4_0 take 18 bytes, but 17 were given.',
    );
    expect(() => dequantise('Q4_0', new Uint8Array(9), 16)).toThrow(
      '16 weights are not a whole number of Q4_0 blocks, which hold 32.',
    );
  });
});

describe('tensor type ids', () => {
  it('refuses the removed and the runtime-only ids by name', () => {
    for (const id of [4, 5, 9, 15, 31, 32, 33, 36, 37, 38]) {
      expect(tensorTypeOfId(id), `id ${id}`).toBeUndefined();
      expect(describeRefusedId(id)).not.toContain('unknown');
    }
    expect(describeRefusedId(31)).toBe('type 31 (Q4_0_4_4, which was removed from the format)');
    expect(describeRefusedId(43)).toBe('type 43 (unknown to this version)');
    expect(tensorTypeOfId(2 ** 32 - 1)).toBeUndefined();
  });
});
