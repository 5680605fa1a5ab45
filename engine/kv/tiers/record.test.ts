import { describe, expect, test } from 'vitest';
import { randomFloats } from '../../layers/attention/testing.ts';
import { decodeRecord, encodeRecord, type FarFormat, recordWords } from './record.ts';

describe.each<FarFormat>(['f16', 'q8'])('%s', (format) => {
  test.each([64, 80, 128, 256])('%i dimensions: the error is bounded by the format', (headDim) => {
    for (const [seed, scale] of [[1, 1], [2, 1e-3], [3, 300]] as const) {
      const vector = randomFloats(headDim, seed, scale);
      const words = new Uint32Array(recordWords(format, headDim) + 2);
      encodeRecord(format, vector, words, 1);
      const back = decodeRecord(format, words, 1, headDim);
      const largest = vector.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      vector.forEach((x, i) => {
        // Half a unit in the last place of a half, or half a step of 1/127 of the largest.
        const bound = format === 'f16' ? Math.max(Math.abs(x) * 2 ** -11, 2 ** -25) : (largest / 127) * 0.5001;
        expect(Math.abs(back[i] - x)).toBeLessThanOrEqual(bound);
      });
      // Neighbours are not touched.
      expect([words[0], words[words.length - 1]]).toEqual([0, 0]);
    }
  });

  test('a vector of zeros stays one', () => {
    const words = new Uint32Array(recordWords(format, 64));
    encodeRecord(format, new Float32Array(64), words, 0);
    expect([...decodeRecord(format, words, 0, 64)]).toEqual(Array(64).fill(0));
  });
});
