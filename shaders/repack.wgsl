// What repacking a file's weights on the GPU has in common: the file's bytes as words, and the places of
// codes and scales in the layout of matmul_weights.wgsl. A file of the kind of block adds
// `repack_block(row, block, column)`. engine/layers/linear/packing.ts is the same on the CPU, and its reference.
//
// Every invocation writes a block of 32 weights of one row, which becomes a column; neighbours write
// neighbouring columns. Scales are built from bits, so that no adapter flushes a small one.
//
// Constants: CODES4, CODES8 (one is true for blocks), UNITS, TILE, IN_TEXTURE, SCALES_IN_TEXTURE, HAS_SCALES, HALF_SCALES, SPLIT_BLOCK.

struct Shape {
  // Rows whose bytes lie in `bytes`, from its beginning, and the bytes of each.
  rows: u32,
  row_bytes: u32,
  // Column of the part that receives the first row.
  first_column: u32,
  // Blocks of a column, padding included.
  blocks: u32,
  inputs: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
// With a word to spare behind the last.
@group(0) @binding(1) var<storage, read> bytes: array<u32>;
//@if IN_TEXTURE
@group(0) @binding(2) var codes: texture_storage_2d<rgba32uint, write>;
//@else
@group(0) @binding(2) var<storage, read_write> codes: array<vec4<u32>>;
//@end
//@if HAS_SCALES
//@if HALF_SCALES
alias ScaleRecord = u32;
alias ScaleTexture = texture_storage_2d<r32uint, write>;
//@else
//@if SPLIT_BLOCK
alias ScaleRecord = vec4<u32>;
alias ScaleTexture = texture_storage_2d<rgba32uint, write>;
//@else
alias ScaleRecord = vec2<u32>;
alias ScaleTexture = texture_storage_2d<rg32uint, write>;
//@end
//@end
//@if SCALES_IN_TEXTURE
@group(0) @binding(3) var scales: ScaleTexture;
//@else
@group(0) @binding(3) var<storage, read_write> scales: array<ScaleRecord>;
//@end
//@end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < shape.rows) { repack_block(id.x, id.y, shape.first_column + id.x); }
}

// The four bytes from byte `at` on.
fn word_at(at: u32) -> u32 {
  let shift = 8u * (at % 4u);
  let low = bytes[at / 4u] >> shift;
  if (shift == 0u) { return low; }
  return low | (bytes[at / 4u + 1u] << (32u - shift));
}

// The sixteen bytes from byte `at` on.
fn words_at(at: u32) -> vec4<u32> {
  return vec4<u32>(word_at(at), word_at(at + 4u), word_at(at + 8u), word_at(at + 12u));
}

fn half_at(at: u32) -> u32 { return word_at(at) & 0xffffu; }

fn byte_at(at: u32) -> u32 { return (bytes[at / 4u] >> (8u * (at % 4u))) & 255u; }

// The number of a half given as its bits; small ones are whole multiples of 2^-24.
fn number_of_half(half: u32) -> f32 {
  let sign = (half & 0x8000u) << 16u;
  let exponent = (half >> 10u) & 31u;
  let mantissa = half & 1023u;
  if (exponent == 0u) { return bitcast<f32>(sign | bitcast<u32>(f32(mantissa) * exp2(-24.0))); }
  if (exponent == 31u) { return bitcast<f32>(sign | 0x7f800000u | (mantissa << 13u)); }
  return bitcast<f32>(sign | ((exponent + 112u) << 23u) | (mantissa << 13u));
}

// Unit `place` of a column: block · UNITS + unit in the block.
fn store_unit(column: u32, place: u32, unit: vec4<u32>) {
//@if IN_TEXTURE
  textureStore(codes, vec2<u32>(place * TILE + column % TILE, column / TILE), unit);
//@else
  codes[(column / TILE * shape.blocks * UNITS + place) * TILE + column % TILE] = unit;
//@end
}

//@if HAS_SCALES
fn store_record(column: u32, block: u32, record: ScaleRecord) {
//@if SCALES_IN_TEXTURE
//@if HALF_SCALES
  let texel = vec4<u32>(record, 0u, 0u, 0u);
//@else
//@if SPLIT_BLOCK
  let texel = record;
//@else
  let texel = vec4<u32>(record, 0u, 0u);
//@end
//@end
  textureStore(scales, vec2<u32>(block * TILE + column % TILE, column / TILE), texel);
//@else
  scales[(column / TILE * shape.blocks + block) * TILE + column % TILE] = record;
//@end
}

// Word w gets byte w of each of the four, the first lowest; the highest bit is flipped, see matmul_weights.wgsl.
fn transposed(first: u32, second: u32, third: u32, fourth: u32) -> vec4<u32> {
  let shifts = vec4<u32>(0u, 8u, 16u, 24u);
  let byte = vec4<u32>(255u);
  let word = ((vec4<u32>(first) >> shifts) & byte) | (((vec4<u32>(second) >> shifts) & byte) << vec4<u32>(8u)) |
    (((vec4<u32>(third) >> shifts) & byte) << vec4<u32>(16u)) | ((vec4<u32>(fourth) >> shifts) << vec4<u32>(24u));
  return word ^ vec4<u32>(0x80000000u);
}

// A block's 32 codes, one a byte: the first sixteen, the others.
fn store_codes(column: u32, block: u32, first: vec4<u32>, second: vec4<u32>) {
//@if CODES4
  let low = first.xz | (first.yw << vec2<u32>(4u));
  let high = second.xz | (second.yw << vec2<u32>(4u));
  store_unit(column, block, transposed(low.x, low.y, high.x, high.y));
//@end
//@if CODES8
  store_unit(column, 2u * block, transposed(first.x, first.y, first.z, first.w));
  store_unit(column, 2u * block + 1u, transposed(second.x, second.y, second.z, second.w));
//@end
}
//@end
