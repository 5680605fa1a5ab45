// Weight access shared by every matrix kernel: the bindings, the shape block, and how packed words
// become numbers. engine/layers/linear/packing.ts writes what this file reads.
//
// A matrix has `outputs` columns (one per output feature) of `inputs` weights. Blocks of 32 weights lie
// along the inputs, UNITS vec4<u32> units a block (1 at 4 bits, 2 at 8, 4 for f16, 8 for f32), in tiles of
// TILE columns; neighbouring lanes read neighbouring columns:
//   codes  unit (tile, block · UNITS + unit, column in tile)
//   scales record (tile, block, column in tile): (scale, offset) once or, for blocks of 16, twice
// A tile is a row of a storage texture, or a run of a storage buffer. Some adapters read textures faster.
//
// Field f (of FIELDS) of a unit's four words holds weights 4f … 4f+3 of the unit. Fields are masked, not
// shifted (shifts are slow on SwiftShader), so fieldF returns code / shrinkF. The top field of a quantised
// word is stored with its highest bit flipped, as a signed number: masking alone then makes it an i32.
// Weight = scale · (code − zero_point) + offset.
//
// Constants: CODES4, CODES8, CODES16, CODES32 (one is true), UNITS, FIELDS, TILE, IN_TEXTURE, HAS_SCALES,
// HALF_SCALES, SPLIT_BLOCK (blocks of 16).

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
}

struct Step {
  rows: u32,
  position: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<uniform> step: Step;

//@if IN_TEXTURE
@group(0) @binding(4) var codes: texture_storage_2d<rgba32uint, read>;

fn code_unit(tile: u32, place: u32, column: u32) -> vec4<u32> {
  return textureLoad(codes, vec2<u32>(place * TILE + column, tile));
}
//@else
@group(0) @binding(4) var<storage, read> codes: array<vec4<u32>>;

fn code_unit(tile: u32, place: u32, column: u32) -> vec4<u32> {
  return codes[(tile * (shape.blocks * UNITS) + place) * TILE + column];
}
//@end

//@if HAS_SCALES
//@if HALF_SCALES
//@if SPLIT_BLOCK
alias ScaleRecord = vec2<u32>;
alias ScaleTexture = texture_storage_2d<rg32uint, read>;
//@else
alias ScaleRecord = u32;
alias ScaleTexture = texture_storage_2d<r32uint, read>;
//@end
//@else
//@if SPLIT_BLOCK
alias ScaleRecord = vec4<u32>;
alias ScaleTexture = texture_storage_2d<rgba32uint, read>;
//@else
alias ScaleRecord = vec2<u32>;
alias ScaleTexture = texture_storage_2d<rg32uint, read>;
//@end
//@end
//@if IN_TEXTURE
@group(0) @binding(5) var scales: ScaleTexture;

fn scale_record(tile: u32, block: u32, column: u32) -> ScaleRecord {
  let texel = textureLoad(scales, vec2<u32>(block * TILE + column, tile));
//@if HALF_SCALES
//@if SPLIT_BLOCK
  return texel.xy;
//@else
  return texel.x;
//@end
//@else
//@if SPLIT_BLOCK
  return texel;
//@else
  return texel.xy;
//@end
//@end
}
//@else
@group(0) @binding(5) var<storage, read> scales: array<ScaleRecord>;

fn scale_record(tile: u32, block: u32, column: u32) -> ScaleRecord {
  return scales[(tile * shape.blocks + block) * TILE + column];
}
//@end

// (scale, offset − scale · zero_point) of the weights in half `half` of a block.
fn scale_of(record: ScaleRecord, half: u32) -> vec2<f32> {
//@if HALF_SCALES
//@if SPLIT_BLOCK
  let pair = unpack2x16float(select(record.x, record.y, half == 1u));
//@else
  let pair = unpack2x16float(record);
//@end
//@else
//@if SPLIT_BLOCK
  let pair = bitcast<vec2<f32>>(select(record.xy, record.zw, half == 1u));
//@else
  let pair = bitcast<vec2<f32>>(record);
//@end
//@end
  return vec2<f32>(pair.x, pair.y - pair.x * shape.zero_point);
}
//@end

//@if CODES4
//@unroll f 7
const shrink$f = exp2(-4.0 * $f.0);
fn field$f(unit: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(vec4<i32>(unit & vec4<u32>(15u << (4u * $fu))));
}
//@end
const shrink7 = exp2(-28.0);
fn field7(unit: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(vec4<i32>(unit & vec4<u32>(15u << 28u))) + vec4<f32>(exp2(31.0));
}
//@end
//@if CODES8
//@unroll f 3
const shrink$f = exp2(-8.0 * $f.0);
fn field$f(unit: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(vec4<i32>(unit & vec4<u32>(255u << (8u * $fu))));
}
//@end
const shrink3 = exp2(-24.0);
fn field3(unit: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(vec4<i32>(unit & vec4<u32>(255u << 24u))) + vec4<f32>(exp2(31.0));
}
//@end
//@if CODES16
const shrink0 = 1.0;
const shrink1 = 1.0;
fn field0(unit: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(unit.x).x, unpack2x16float(unit.y).x, unpack2x16float(unit.z).x, unpack2x16float(unit.w).x);
}
fn field1(unit: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(unit.x).y, unpack2x16float(unit.y).y, unpack2x16float(unit.z).y, unpack2x16float(unit.w).y);
}
//@end
//@if CODES32
const shrink0 = 1.0;
fn field0(unit: vec4<u32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(unit);
}
//@end
