// Matrix product of single rows by one subgroup a workgroup, without workgroup memory or barriers: the
// decode kernel of software adapters.
//
// output[row][output_offset + column] (+)= Σ_k input[row][k] · W[column][k]
//   input  f32 [rows][inputs], output f32 [rows][output_stride]; weights as in matmul_weights.wgsl.
//   GATED: columns are gates and, outputs / 2 further on, what they let through; column c of the output, one row
//   without offset, becomes activation(gate) · up.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales.
// Mapping: workgroup (x, y) = columns x · LANES · COLUMNS … of row y. With GATED a workgroup takes its gates and then
// what they let through: one run of weights at a time, as they lie in memory.
// Constants: those of matmul_row_sums.wgsl with MATRICES = 1, GATED, GELU; TILE is a multiple of LANES · COLUMNS.
// Reference: multiply in engine/reference/matmul.ts and gate in engine/reference/gated.ts. Texts: matmul_weights.wgsl,
// matmul_row_sums.wgsl and, with GATED, activation.wgsl.

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

fn row_quad(place: u32) -> vec4<f32> { return input[place]; }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let first_column = group.x * (LANES * COLUMNS) + lane;
  let input_start = group.y * (shape.inputs / 4u);
//@if GATED
  let outputs = shape.outputs / 2u;
//@unroll c COLUMNS
  var gate$c = 0.0;
//@end
  for (var half = 0u; half < 2u; half++) {
    let sums = sums_of0(first_column + half * outputs, (1u + half) * outputs - 1u, shape.blocks, input_start, lane);
//@unroll c COLUMNS
    {
      let column = first_column + $cu * LANES;
      if (half == 0u) { gate$c = sums.sum$c; } else if (column < outputs && group.y < step.rows) { output[column] = activate(vec4<f32>(gate$c)).x * sums.sum$c; }
    }
//@end
  }
//@else
  let sums = sums_of0(first_column, shape.outputs - 1u, shape.blocks, input_start, lane);
  if (group.y < step.rows) {
//@unroll c COLUMNS
    {
      let column = first_column + $cu * LANES;
      if (column < shape.outputs) {
        let place = group.y * shape.output_stride + shape.output_offset + column;
        if (shape.accumulate == 1u) { output[place] += sums.sum$c; } else { output[place] = sums.sum$c; }
      }
    }
//@end
  }
//@end
}
