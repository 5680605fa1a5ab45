// Matrix product of many rows on a GPU: the prefill kernel. A workgroup expands 32 inputs of 64 columns
// and 64 rows into workgroup memory and multiplies them, 4 × 4 outputs a thread.
//
// output[row][output_offset + column] (+)= Σ_k input[row][k] · W[column][k]
//   input  f32 [rows][inputs], output f32 [rows][output_stride]; weights as in matmul_weights.wgsl.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales.
// Mapping: workgroup (x, y) = columns 64x … 64x+63 of rows 64y … 64y+63; 256 threads. TILE is 64.
// Reference: multiply in engine/reference/matmul.ts. Texts: matmul_weights.wgsl.

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

// [input of the block][row or column], padded by 4 against bank conflicts.
const PITCH = 68u;
var<workgroup> input_tile: array<f32, 32 * PITCH>;
var<workgroup> weight_tile: array<f32, 32 * PITCH>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let first_row = group.y * 64u;
  let last_row = step.rows - 1u;
  // While loading, a thread owns one row and one column, and two of the eight quads of a block.
  let lane = thread % 64u;
  let first_quad = thread / 64u;
  let column = column_at(group.x * 64u + lane);
  let input_start = min(first_row + lane, last_row) * (shape.inputs / 4u);
  // While multiplying, it owns 4 rows and 4 columns.
  let thread_column = 4u * (thread % 16u);
  let thread_row = 4u * (thread / 16u);
//@unroll r 4
  var sum$r = vec4<f32>(0.0);
//@end
  for (var block = 0u; block < shape.blocks; block++) {
    let record = scale_record(column, block);
//@unroll i 2
    {
      let quad = first_quad + $iu * 4u;
      let x = input[input_start + block * 8u + quad];
      let unit = code_unit(column, block * UNITS + quad / FIELDS);
      let weight = field_at(unit, quad % FIELDS, scale_of(record, $iu));
      let place = quad * 4u * PITCH + lane;
      input_tile[place] = x.x;
      input_tile[place + PITCH] = x.y;
      input_tile[place + 2u * PITCH] = x.z;
      input_tile[place + 3u * PITCH] = x.w;
      weight_tile[place] = weight.x;
      weight_tile[place + PITCH] = weight.y;
      weight_tile[place + 2u * PITCH] = weight.z;
      weight_tile[place + 3u * PITCH] = weight.w;
    }
//@end
    workgroupBarrier();
    for (var k = 0u; k < 32u; k++) {
      let w = k * PITCH + thread_column;
      let weight = vec4<f32>(weight_tile[w], weight_tile[w + 1u], weight_tile[w + 2u], weight_tile[w + 3u]);
//@unroll r 4
      sum$r += input_tile[k * PITCH + thread_row + $ru] * weight;
//@end
    }
    workgroupBarrier();
  }
  let first_column = group.x * 64u + thread_column;
//@unroll r 4
  if (first_row + thread_row + $ru < step.rows) {
    let place = (first_row + thread_row + $ru) * shape.output_stride + shape.output_offset + first_column;
//@unroll c 4
    if (first_column + $cu < shape.outputs) {
      if (shape.accumulate == 1u) { output[place + $cu] += sum$r[$c]; } else { output[place + $cu] = sum$r[$c]; }
    }
//@end
  }
//@end
}
