// Matrix product without subgroups, workgroup memory or barriers: the fallback that runs anywhere.
//
// output[row][output_offset + column] (+)= Σ_k input[row][k] · W[column][k]
//   input  f32 [rows][inputs], output f32 [rows][output_stride]; weights as in matmul_weights.wgsl.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales.
// Mapping: workgroup (x, y) = columns 64x … 64x+63 (one a thread) of rows ROWS·y … ROWS·y + ROWS−1.
// Reference: multiply in engine/reference/matmul.ts. Texts: matmul_weights.wgsl.

//@if RAGGED
@group(0) @binding(2) var<storage, read> input: array<f32>;
//@else
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
//@end
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

// Inputs 4·quad … 4·quad+3 of a row; beyond the end 0.
fn input_quad(row: u32, quad: u32) -> vec4<f32> {
//@if RAGGED
  let k = quad * 4u;
  let base = row * shape.inputs;
  var value = vec4<f32>(0.0);
  if (k < shape.inputs) { value.x = input[base + k]; }
  if (k + 1u < shape.inputs) { value.y = input[base + k + 1u]; }
  if (k + 2u < shape.inputs) { value.z = input[base + k + 2u]; }
  if (k + 3u < shape.inputs) { value.w = input[base + k + 3u]; }
  return value;
//@else
  return input[row * (shape.inputs / 4u) + quad];
//@end
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let column = group.x * 64u + lane;
  if (column >= shape.outputs) { return; }
  let first_row = group.y * ROWS;
  let last_row = step.rows - 1u;
//@unroll r ROWS
  let row$r = min(first_row + $ru, last_row);
  var sum$r = 0.0;
//@end
  let place = column_at(column);
  for (var block = 0u; block < shape.blocks; block++) {
    let record = scale_record(place, block);
    for (var index = 0u; index < UNITS; index++) {
      let unit = code_unit(place, block * UNITS + index);
      for (var field = 0u; field < FIELDS; field++) {
        let quad = index * FIELDS + field;
        let weight = field_at(unit, field, scale_of(record, quad / 4u));
//@unroll r ROWS
        sum$r += dot(weight, input_quad(row$r, block * 8u + quad));
//@end
      }
    }
  }
//@unroll r ROWS
  if (first_row + $ru < step.rows) {
    let place = (first_row + $ru) * shape.output_stride + shape.output_offset + column;
    if (shape.accumulate == 1u) { output[place] += sum$r; } else { output[place] = sum$r; }
  }
//@end
}
