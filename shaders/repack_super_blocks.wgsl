// Repacks the "K" types, 256 weights a block whose scales are products of a half-float and a small integer
// (engine/formats/quantisation/superBlocks.ts). For repack.wgsl.
// Constants: Q2_K, Q3_K, Q4_K, Q5_K, Q6_K (one is true), BLOCK_BYTES.

fn repack_block(row: u32, block: u32, column: u32) {
  let start = row * shape.row_bytes + block / 8u * BLOCK_BYTES;
  let part = block % 8u;
  // Four planes of bits share the bytes of 128 weights in some types, two nibbles those of 64 in others.
  let side = part / 4u;
  let plane = vec4<u32>(part % 4u);
//@if Q2_K
  let scale_of_scales = number_of_half(half_at(start + 80u));
  let scale_of_minimums = -number_of_half(half_at(start + 82u));
  let both = vec2<u32>(byte_at(start + 2u * part), byte_at(start + 2u * part + 1u));
  let fine = scale_of_scales * vec2<f32>(both & vec2<u32>(15u));
  let minimums = scale_of_minimums * vec2<f32>(both >> vec2<u32>(4u));
  store_record(column, block, bitcast<vec4<u32>>(vec4<f32>(fine.x, minimums.x, fine.y, minimums.y)));
  let at = start + 16u + 32u * side;
  store_codes(column, block, pairs(words_at(at) >> (2u * plane)), pairs(words_at(at + 16u) >> (2u * plane)));
//@end
//@if Q3_K
  let scale_of_scales = number_of_half(half_at(start + 108u));
  let scale = scale_of_scales * vec2<f32>(six_bit_factor(start, 2u * part), six_bit_factor(start, 2u * part + 1u));
  store_record(column, block, bitcast<vec4<u32>>(vec4<f32>(scale.x, 0.0, scale.y, 0.0)));
  let at = start + 32u + 32u * side;
  let first = pairs(words_at(at) >> (2u * plane)) | (single_bits(words_at(start) >> vec4<u32>(part)) << vec4<u32>(2u));
  let second = pairs(words_at(at + 16u) >> (2u * plane)) | (single_bits(words_at(start + 16u) >> vec4<u32>(part)) << vec4<u32>(2u));
  store_codes(column, block, first, second);
//@end
//@if Q4_K
  store_six_bit_pair(column, block, start, part);
  let at = start + 16u + 32u * (part / 2u);
  let shift = vec4<u32>(4u * (part % 2u));
  store_codes(column, block, nibbles(words_at(at) >> shift), nibbles(words_at(at + 16u) >> shift));
//@end
//@if Q5_K
  store_six_bit_pair(column, block, start, part);
  let at = start + 48u + 32u * (part / 2u);
  let shift = vec4<u32>(4u * (part % 2u));
  let first = single_bits(words_at(start + 16u) >> vec4<u32>(part)) << vec4<u32>(4u);
  let second = single_bits(words_at(start + 32u) >> vec4<u32>(part)) << vec4<u32>(4u);
  store_codes(column, block, nibbles(words_at(at) >> shift) | first, nibbles(words_at(at + 16u) >> shift) | second);
//@end
//@if Q6_K
  let scale_of_scales = number_of_half(half_at(start + 208u));
  // Signed bytes.
  let factors = vec2<i32>(vec2<u32>(byte_at(start + 192u + 2u * part), byte_at(start + 193u + 2u * part)) << vec2<u32>(24u)) >> vec2<u32>(24u);
  let scale = scale_of_scales * vec2<f32>(factors);
  store_record(column, block, bitcast<vec4<u32>>(vec4<f32>(scale.x, 0.0, scale.y, 0.0)));
  let low_at = start + 64u * side + 32u * (part % 2u);
  let low_shift = 4u * (plane / 2u);
  let top_at = start + 128u + 32u * side;
  let first = nibbles(words_at(low_at) >> low_shift) | (pairs(words_at(top_at) >> (2u * plane)) << vec4<u32>(4u));
  let second = nibbles(words_at(low_at + 16u) >> low_shift) | (pairs(words_at(top_at + 16u) >> (2u * plane)) << vec4<u32>(4u));
  store_codes(column, block, first, second);
//@end
}

// Masks that act on the four bytes of each word at once.
fn nibbles(words: vec4<u32>) -> vec4<u32> { return words & vec4<u32>(0x0f0f0f0fu); }
fn pairs(words: vec4<u32>) -> vec4<u32> { return words & vec4<u32>(0x03030303u); }
fn single_bits(words: vec4<u32>) -> vec4<u32> { return words & vec4<u32>(0x01010101u); }

//@if Q3_K
// One of the sixteen factors of Q3_K's scales: low nibbles at byte 96, pairs of bits above them at 104.
fn six_bit_factor(start: u32, which: u32) -> f32 {
  let low = (byte_at(start + 96u + which % 8u) >> (4u * (which / 8u))) & 15u;
  let high = (byte_at(start + 104u + which % 4u) >> (2u * (which / 4u))) & 3u;
  return f32(i32(low | (high << 4u)) - 32);
}
//@end

//@if !SPLIT_BLOCK
// Scale and offset of one of the eight parts, from the two half-floats and 12 bytes at the head of Q4_K and Q5_K.
fn store_six_bit_pair(column: u32, block: u32, start: u32, part: u32) {
  let scale_of_scales = number_of_half(half_at(start));
  let scale_of_minimums = -number_of_half(half_at(start + 2u));
  let lane = part % 4u;
  let first = byte_at(start + 4u + lane);
  let second = byte_at(start + 8u + lane);
  let third = byte_at(start + 12u + lane);
  let is_late = part >= 4u;
  let scale = select(first & 63u, (third & 15u) | ((first >> 6u) << 4u), is_late);
  let minimum = select(second & 63u, (third >> 4u) | ((second >> 6u) << 4u), is_late);
  let record = vec2<f32>(scale_of_scales * f32(scale), scale_of_minimums * f32(minimum));
  store_record(column, block, bitcast<vec2<u32>>(record));
}
//@end
