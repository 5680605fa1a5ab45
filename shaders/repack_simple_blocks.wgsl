// Repacks the types of 32 weights a block with half-float scales (engine/formats/quantisation/simpleBlocks.ts):
// a scale, perhaps an offset, perhaps the fifth bits, then nibbles or bytes. For repack.wgsl.
// Constants: BLOCK_BYTES, HAS_OFFSETS, FIFTH_BITS, QUANTS_AT (bytes before the quants).

fn repack_block(row: u32, block: u32, column: u32) {
  let start = row * shape.row_bytes + block * BLOCK_BYTES;
//@if HAS_OFFSETS
  store_record(column, block, word_at(start));
//@else
  store_record(column, block, half_at(start));
//@end
  let quants = words_at(start + QUANTS_AT);
//@if CODES8
//@if FIFTH_BITS
  let bits = vec4<u32>(word_at(start + QUANTS_AT - 4u));
  let first = spread_bits(bits >> vec4<u32>(0u, 4u, 8u, 12u));
  let second = spread_bits(bits >> vec4<u32>(16u, 20u, 24u, 28u));
  store_codes(column, block, low_nibbles(quants) | first, low_nibbles(quants >> vec4<u32>(4u)) | second);
//@else
  // Signed bytes become codes by flipping their top bit, which adds 128.
  let top_bits = vec4<u32>(0x80808080u);
  store_codes(column, block, quants ^ top_bits, words_at(start + QUANTS_AT + 16u) ^ top_bits);
//@end
//@else
  store_codes(column, block, low_nibbles(quants), low_nibbles(quants >> vec4<u32>(4u)));
//@end
}

fn low_nibbles(words: vec4<u32>) -> vec4<u32> { return words & vec4<u32>(0x0f0f0f0fu); }

// Moves each of the low four bits to bit 4 of its own byte; the factor's copies never collide.
fn spread_bits(bits: vec4<u32>) -> vec4<u32> {
  return (((bits & vec4<u32>(15u)) * 0x00204081u) & vec4<u32>(0x01010101u)) << vec4<u32>(4u);
}
