// The queries and values of RWKV-7 where the recurrence reads them. The first layer's values are kept; the others mix
// them into theirs:
//     value = v + (v₁ − v) ⊙ sigmoid(mix + mixBias)
// Shapes: projected [region][maxRows][columns] f32, of which queries, v and the mix are a region each; mixBias [columns];
//   firstValues [rows][columns]; vectors [rows][3 · columns]: queries, keys, values; gates [rows][heads] of (decay,
//   strength), which are 1.
// Bindings: 0 shape, 1 projected, 2 firstValues, 3 vectors, 4 gates, without FIRST 5 mixBias.
// Mapping: an invocation a row and column.
// Constants: INVOCATIONS, FIRST. Reference: rwkvValue in engine/reference/recurrent/rwkv.ts.

// Regions begin at these f32.
struct Shape { columns: u32, heads: u32, queries: u32, values: u32, mixes: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> projected: array<f32>;
@group(0) @binding(2) var<storage, read_write> firstValues: array<f32>;
@group(0) @binding(3) var<storage, read_write> vectors: array<f32>;
@group(0) @binding(4) var<storage, read_write> gates: array<vec2<f32>>;
//@if !FIRST
@group(0) @binding(5) var<storage, read> mixBias: array<f32>;
//@end

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let column = workgroup.x * INVOCATIONS + invocation;
  if (column >= shape.columns) { return; }
  let place = workgroup.y * shape.columns + column;
  var value = projected[shape.values + place];
//@if FIRST
  firstValues[place] = value;
//@else
  // The exponent is bounded: e^88 is finite in f32, and beyond it the quotient is 0 anyway.
  let share = 1.0 / (1.0 + exp(min(-(projected[shape.mixes + place] + mixBias[column]), 88.0)));
  value += (firstValues[place] - value) * share;
//@end
  let base = 3u * workgroup.y * shape.columns;
  vectors[base + column] = projected[shape.queries + place];
  vectors[base + 2u * shape.columns + column] = value;
  if (column < shape.heads) { gates[workgroup.y * shape.heads + column] = vec2<f32>(1.0, 1.0); }
}
