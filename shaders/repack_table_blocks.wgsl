// Repacks the types whose quants point into a table (engine/formats/quantisation/tableBlocks.ts): a code is the
// table's entry plus 128. For repack.wgsl.
// Constants: IQ4_NL, IQ4_XS, MXFP4 (one is true), BLOCK_BYTES.

//@if MXFP4
const steps = array<u32, 16>(128u, 129u, 130u, 131u, 132u, 134u, 136u, 140u, 128u, 127u, 126u, 125u, 124u, 122u, 120u, 116u);
//@else
const steps = array<u32, 16>(1u, 24u, 45u, 63u, 79u, 93u, 106u, 118u, 129u, 141u, 153u, 166u, 181u, 197u, 217u, 241u);
//@end

fn repack_block(row: u32, block: u32, column: u32) {
//@if IQ4_NL
  let start = row * shape.row_bytes + block * BLOCK_BYTES;
  store_record(column, block, half_at(start));
  let quants = words_at(start + 2u);
//@end
//@if IQ4_XS
  let start = row * shape.row_bytes + block / 8u * BLOCK_BYTES;
  let part = block % 8u;
  let low = (byte_at(start + 4u + part / 2u) >> (4u * (part % 2u))) & 15u;
  let high = (byte_at(start + 2u + part / 4u) >> (2u * (part % 4u))) & 3u;
  let scale = number_of_half(half_at(start)) * f32(i32(low | (high << 4u)) - 32);
  store_record(column, block, vec2<u32>(bitcast<u32>(scale), 0u));
  let quants = words_at(start + 8u + 16u * part);
//@end
//@if MXFP4
  let start = row * shape.row_bytes + block * BLOCK_BYTES;
  // A power of two; the two lowest are no normal numbers. 128 rather than 127, because the table is doubled.
  let exponent = byte_at(start);
  store_record(column, block, vec2<u32>(select((exponent - 1u) << 23u, 0x00200000u << exponent, exponent < 2u), 0u));
  let quants = words_at(start + 1u);
//@end
  store_codes(column, block, looked_up(quants), looked_up(quants >> vec4<u32>(4u)));
}

// The codes of the low nibbles of every byte.
fn looked_up(words: vec4<u32>) -> vec4<u32> {
  return vec4<u32>(codes_of(words.x), codes_of(words.y), codes_of(words.z), codes_of(words.w));
}

fn codes_of(word: u32) -> u32 {
  return steps[word & 15u] | (steps[(word >> 8u) & 15u] << 8u) | (steps[(word >> 16u) & 15u] << 16u) | (steps[(word >> 24u) & 15u] << 24u);
}
