// Weight access shared by every matrix kernel: the bindings, the shape block, and how packed words
// become numbers. engine/layers/linear/packing.ts writes what this file reads.
//
// A matrix has `outputs` columns (one per output feature) of `inputs` weights. Blocks of 32 weights lie
// along the inputs, UNITS vec4<u32> units a block (1 at 4 bits, 2 at 8, 4 for f16, 8 for f32), in tiles of
// TILE columns; neighbouring lanes read neighbouring columns:
//   codes  unit (tile, block · UNITS + unit, column in tile)
//   scales record (tile, block, column in tile): (scale, offset) once or, for blocks of 16, twice
// A tile is a row of a texture, or a run of a storage buffer. Some adapters read textures faster, storage or sampled.
// Beside a sampled texture of codes scales lie in a buffer: SwiftShader reads four words at once as a texel, but not one.
//
// Field f (of FIELDS) of a unit's four words holds weights 4f … 4f+3 of the unit. Fields are masked, not
// shifted (shifts are slow on SwiftShader), so numberF returns code / shrinkF. The top field of a quantised
// word is stored with its highest bit flipped, as a signed number (masking alone then makes it an i32):
// its codes are TOP_EXCESS too small. Weight = scale · (code − zero_point) + offset.
//
// Constants: CODES4, CODES8, CODES16, CODES32 (one is true), UNITS, FIELDS, TILE, IN_TEXTURE, SAMPLED (as a sampled texture),
// SCALES_IN_TEXTURE, HAS_SCALES, HALF_SCALES, SPLIT_BLOCK (blocks of 16).

struct Shape {
  inputs: u32,
  outputs: u32,
  blocks: u32,
  // Where this part's first column lies in a row of the output, and the row's length.
  output_offset: u32,
  output_stride: u32,
  accumulate: u32,
  zero_point: f32,
  // Column of the whole matrix with which this part begins (for embeddings).
  first_column: u32,
  // Factor of looked-up embeddings.
  multiplier: f32,
  // Of the normalisation of the input, where a kernel does that too.
  epsilon: f32,
}

struct Step {
  rows: u32,
  position: u32,
}

// A column and the tile it lies in.
struct Column {
  tile: u32,
  // Index of the column's first unit and first record: each within the tile's row of a texture, or in a buffer.
  unit: u32,
  record: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<uniform> step: Step;

// TILE is a power of two: SwiftShader divides lane by lane, whatever by.
const TILE_BITS = countTrailingZeros(u32(TILE));

fn column_at(column: u32) -> Column {
  let tile = column >> TILE_BITS;
  let in_tile = column & (TILE - 1u);
//@if IN_TEXTURE
  let unit = in_tile;
//@else
  let unit = tile * shape.blocks * (UNITS * TILE) + in_tile;
//@end
//@if SCALES_IN_TEXTURE
  return Column(tile, unit, in_tile);
//@else
  return Column(tile, unit, tile * shape.blocks * TILE + in_tile);
//@end
}

//@if IN_TEXTURE
//@if SAMPLED
alias CodeTexture = texture_2d<u32>;
//@else
alias CodeTexture = texture_storage_2d<rgba32uint, read>;
//@end
@group(0) @binding(4) var codes: CodeTexture;

// Unit `place` of a column: block · UNITS + unit in the block.
fn code_unit(column: Column, place: u32) -> vec4<u32> {
//@if SAMPLED
  return textureLoad(codes, vec2<u32>(column.unit + place * TILE, column.tile), 0);
//@else
  return textureLoad(codes, vec2<u32>(column.unit + place * TILE, column.tile));
//@end
}
//@else
@group(0) @binding(4) var<storage, read> codes: array<vec4<u32>>;

fn code_unit(column: Column, place: u32) -> vec4<u32> {
  return codes[column.unit + place * TILE];
}
//@end

//@if HAS_SCALES
//@if HALF_SCALES
//@if SPLIT_BLOCK
alias ScaleRecord = vec2<u32>;
alias ScaleTexture = texture_storage_2d<rg32uint, read>;
fn record_of(texel: vec4<u32>) -> ScaleRecord { return texel.xy; }
fn pair_of(record: ScaleRecord, half: u32) -> vec2<f32> { return unpack2x16float(record[half]); }
//@else
alias ScaleRecord = u32;
alias ScaleTexture = texture_storage_2d<r32uint, read>;
fn record_of(texel: vec4<u32>) -> ScaleRecord { return texel.x; }
fn pair_of(record: ScaleRecord, half: u32) -> vec2<f32> { return unpack2x16float(record); }
//@end
//@else
//@if SPLIT_BLOCK
alias ScaleRecord = vec4<u32>;
alias ScaleTexture = texture_storage_2d<rgba32uint, read>;
fn record_of(texel: vec4<u32>) -> ScaleRecord { return texel; }
fn pair_of(record: ScaleRecord, half: u32) -> vec2<f32> {
  return bitcast<vec2<f32>>(select(record.xy, record.zw, half == 1u));
}
//@else
alias ScaleRecord = vec2<u32>;
alias ScaleTexture = texture_storage_2d<rg32uint, read>;
fn record_of(texel: vec4<u32>) -> ScaleRecord { return texel.xy; }
fn pair_of(record: ScaleRecord, half: u32) -> vec2<f32> { return bitcast<vec2<f32>>(record); }
//@end
//@end

//@if SCALES_IN_TEXTURE
@group(0) @binding(5) var scales: ScaleTexture;

fn scale_record(column: Column, block: u32) -> ScaleRecord {
  return record_of(textureLoad(scales, vec2<u32>(column.record + block * TILE, column.tile)));
}
//@else
@group(0) @binding(5) var<storage, read> scales: array<ScaleRecord>;

fn scale_record(column: Column, block: u32) -> ScaleRecord {
  return scales[column.record + block * TILE];
}
//@end

// (scale, offset − scale · zero_point) of the weights in half `half` of a block.
fn scale_of(record: ScaleRecord, half: u32) -> vec2<f32> {
  let pair = pair_of(record, half);
  return vec2<f32>(pair.x, pair.y - pair.x * shape.zero_point);
}
//@else
// Float weights need no scale; the neutral one lets kernels treat all formats alike.
fn scale_record(column: Column, block: u32) -> u32 { return 0u; }
fn scale_of(record: u32, half: u32) -> vec2<f32> { return vec2<f32>(1.0, 0.0); }
//@end

//@if CODES4
const TOP_EXCESS = 8.0;
//@unroll f 8
const shrink$f = exp2(-4.0 * $f.0);
fn number$f(word: u32) -> f32 { return f32(bitcast<i32>(word & (15u << (4u * $fu)))); }
//@end
//@end
//@if CODES8
const TOP_EXCESS = 128.0;
//@unroll f 4
const shrink$f = exp2(-8.0 * $f.0);
fn number$f(word: u32) -> f32 { return f32(bitcast<i32>(word & (255u << (8u * $fu)))); }
//@end
//@end
//@if CODES16
const TOP_EXCESS = 0.0;
//@unroll f 2
const shrink$f = 1.0;
fn number$f(word: u32) -> f32 { return unpack2x16float(word)[$f]; }
//@end
//@end
//@if CODES32
const TOP_EXCESS = 0.0;
const shrink0 = 1.0;
fn number0(word: u32) -> f32 { return bitcast<f32>(word); }
//@end

// The four numbers of a field, each code / shrinkF. What is masked is told at run time, because SwiftShader's compiler
// loads a constant wherever it is used: twice the instructions of keeping it.
//@unroll f FIELDS
fn numbers$f(unit: vec4<u32>, mask: u32) -> vec4<f32> {
//@if HAS_SCALES
  return vec4<f32>(f32(bitcast<i32>(unit.x & mask)), f32(bitcast<i32>(unit.y & mask)), f32(bitcast<i32>(unit.z & mask)), f32(bitcast<i32>(unit.w & mask)));
//@else
  return vec4<f32>(number$f(unit.x), number$f(unit.y), number$f(unit.z), number$f(unit.w));
//@end
}
//@end

// The four weights of a field that is known only at run time: shorter code for kernels that may be slower.
fn field_at(unit: vec4<u32>, field: u32, scale: vec2<f32>) -> vec4<f32> {
//@if CODES4
  let code = ((unit >> vec4<u32>(4u * field)) & vec4<u32>(15u)) ^ vec4<u32>(select(0u, 8u, field == 7u));
  return vec4<f32>(vec4<i32>(code)) * scale.x + scale.y;
//@end
//@if CODES8
  let code = ((unit >> vec4<u32>(8u * field)) & vec4<u32>(255u)) ^ vec4<u32>(select(0u, 128u, field == 3u));
  return vec4<f32>(vec4<i32>(code)) * scale.x + scale.y;
//@end
//@if CODES16
  let bits = (unit >> vec4<u32>(16u * field)) & vec4<u32>(0xffffu);
  return vec4<f32>(unpack2x16float(bits.x).x, unpack2x16float(bits.y).x, unpack2x16float(bits.z).x, unpack2x16float(bits.w).x);
//@end
//@if CODES32
  return bitcast<vec4<f32>>(unit);
//@end
}

// The four weights of a field.
//@unroll f FIELDS
fn field$f(unit: vec4<u32>, scale: vec2<f32>) -> vec4<f32> {
  let numbers = vec4<f32>(number$f(unit.x), number$f(unit.y), number$f(unit.z), number$f(unit.w));
//@if HAS_SCALES
  const excess = select(0.0, TOP_EXCESS, $fu == FIELDS - 1u);
  return numbers * (scale.x * shrink$f) + (scale.y + excess * scale.x);
//@else
  return numbers;
//@end
}
//@end
