// Weight access shared by every matrix kernel: the bindings, the shape block, and how packed words
// become numbers. engine/layers/linear/packing.ts writes what this file reads.
//
// Layout of a matrix of `outputs` columns (one per output feature) and `inputs` weights a column:
//   blocks of 32 weights along the inputs, UNITS vec4<u32> units a block (1 at 4 bits, 2 at 8, 4 for
//   f16, 8 for f32); tiles of TILE columns; unit index = ((tile · blocks + block) · UNITS + unit) · TILE
//   + column in tile, so neighbouring lanes read neighbouring units.
//   Field f (of FIELDS) of the unit's four words holds weights 4f … 4f+3 of the unit. The top field of a
//   quantised word is stored with its highest bit flipped, which makes it a signed number that needs no
//   unsigned conversion: code = signed + half range.
//   scales[(tile · blocks + block) · TILE + column in tile] holds (scale, offset) once or, for blocks of
//   16, twice. Weight = scale · (code − zero_point) + offset.
//
// Constants: CODES4, CODES8, CODES16, CODES32 (one is true), TILE, HAS_SCALES, HALF_SCALES, SPLIT_BLOCK
// (blocks of 16), UNITS, FIELDS, RAGGED (inputs not a multiple of 32).

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
@group(0) @binding(4) var<storage, read> codes: array<vec4<u32>>;

//@if HAS_SCALES
//@if HALF_SCALES
//@if SPLIT_BLOCK
alias ScaleRecord = vec2<u32>;
//@else
alias ScaleRecord = u32;
//@end
//@else
//@if SPLIT_BLOCK
alias ScaleRecord = vec4<f32>;
//@else
alias ScaleRecord = vec2<f32>;
//@end
//@end
@group(0) @binding(5) var<storage, read> scales: array<ScaleRecord>;

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
  let pair = select(record.xy, record.zw, half == 1u);
//@else
  let pair = record;
//@end
//@end
  return vec2<f32>(pair.x, pair.y - pair.x * shape.zero_point);
}
//@end

// The four codes (or weights) of one field of a unit, as numbers.
//@if CODES4
//@unroll f 7
fn field$f(unit: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(vec4<i32>((unit >> vec4<u32>($fu * 4u)) & vec4<u32>(15u)));
}
//@end
fn field7(unit: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(vec4<i32>(unit) >> vec4<u32>(28u)) + vec4<f32>(8.0);
}
//@end
//@if CODES8
//@unroll f 3
fn field$f(unit: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(vec4<i32>((unit >> vec4<u32>($fu * 8u)) & vec4<u32>(255u)));
}
//@end
fn field3(unit: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(vec4<i32>(unit) >> vec4<u32>(24u)) + vec4<f32>(128.0);
}
//@end
//@if CODES16
fn field0(unit: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(unit.x).x, unpack2x16float(unit.y).x, unpack2x16float(unit.z).x, unpack2x16float(unit.w).x);
}
fn field1(unit: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(unit.x).y, unpack2x16float(unit.y).y, unpack2x16float(unit.z).y, unpack2x16float(unit.w).y);
}
//@end
//@if CODES32
fn field0(unit: vec4<u32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(unit);
}
//@end

// Index of a block of a column in units of TILE: times UNITS for codes, as it is for scales.
fn block_row(column: u32, block: u32) -> u32 {
  return (column / TILE) * shape.blocks + block;
}
