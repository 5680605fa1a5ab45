/** Reference of vectors stored in 8 bits: four signed integers a word, little end first, then their scale as f32. */

const word = new DataView(new ArrayBuffer(4));

/** The vector at `record`, an index of records of headDim / 4 + 1 words. */
export function readEightBit(words: Uint32Array, record: number, headDim: number): Float64Array {
  const first = record * (headDim / 4 + 1);
  const scale = eightBitScale(words, record, headDim);
  return Float64Array.from({ length: headDim }, (_, i) => {
    word.setUint32(0, words[first + Math.floor(i / 4)], true);
    return word.getInt8(i % 4) * scale;
  });
}

export function eightBitScale(words: Uint32Array, record: number, headDim: number): number {
  word.setUint32(0, words[record * (headDim / 4 + 1) + headDim / 4], true);
  return word.getFloat32(0, true);
}
