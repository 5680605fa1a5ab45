// Matrix product of a tile of rows and columns by one subgroup a workgroup, without workgroup memory or
// barriers: the prefill kernel of software adapters, where loads cost and arithmetic does not.
//
// output[row][output_offset + column] (+)= Σ_k input[row][k] · W[column][k]
//   input  f32 [rows][inputs], output f32 [rows][output_stride]; weights as in matmul_weights.wgsl.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales.
// Mapping: workgroup (x, y) = columns x · LANES · COLUMNS … of rows y · LANES · ROW_GROUPS …; a lane owns
// COLUMNS columns, LANES apart, of every row. Inputs are loaded with lane = row and broadcast.
// TILE is a multiple of LANES · COLUMNS.
// Reference: multiply in engine/reference/matmul.ts. Texts: matmul_weights.wgsl.

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let first_column = group.x * (LANES * COLUMNS) + lane;
  let first_row = group.y * (LANES * ROW_GROUPS);
  let last_row = step.rows - 1u;
//@unroll g ROW_GROUPS
  let input_start$g = min(first_row + $gu * LANES + lane, last_row) * (shape.inputs / 4u);
//@unroll l LANES
//@unroll c COLUMNS
  var sum$g_$l_$c = 0.0;
//@end
//@end
//@end
//@unroll c COLUMNS
  let column$c = column_at(first_column + $cu * LANES);
//@end
  for (var block = 0u; block < shape.blocks; block++) {
//@unroll c COLUMNS
    let record$c = scale_record(column$c, block);
    let scale0_$c = scale_of(record$c, 0u);
//@if SPLIT_BLOCK
    let scale1_$c = scale_of(record$c, 1u);
//@else
    let scale1_$c = scale0_$c;
//@end
//@unroll u UNITS
    let unit$u_$c = code_unit(column$c, block * UNITS + $uu);
//@end
//@end
//@unroll u UNITS
//@unroll f FIELDS
    {
//@unroll g ROW_GROUPS
      let own$g = input[input_start$g + block * 8u + $[ $u * FIELDS + $f ]u];
//@end
//@unroll c COLUMNS
      let weight$c = field$f(unit$u_$c, scale$[ $u * FIELDS / 4 + $f / 4 ]_$c);
//@end
//@unroll g ROW_GROUPS
//@unroll l LANES
      {
//@if BY_COMPONENT
        // One component at a time keeps fewer products alive: faster where the compiler spills well.
//@unroll k 4
        let x$k = subgroupBroadcast(own$g[$k], $lu);
//@unroll c COLUMNS
        sum$g_$l_$c += x$k * weight$c[$k];
//@end
//@end
//@else
        let x = subgroupBroadcast(own$g, $lu);
//@unroll c COLUMNS
        sum$g_$l_$c += dot(x, weight$c);
//@end
//@end
      }
//@end
//@end
    }
//@end
//@end
  }
//@unroll c COLUMNS
  {
    let column = first_column + $cu * LANES;
    if (column < shape.outputs) {
//@unroll g ROW_GROUPS
//@unroll l LANES
      if (first_row + $gu * LANES + $lu < step.rows) {
        let place = (first_row + $gu * LANES + $lu) * shape.output_stride + shape.output_offset + column;
        if (shape.accumulate == 1u) { output[place] += sum$g_$l_$c; } else { output[place] = sum$g_$l_$c; }
      }
//@end
//@end
    }
  }
//@end
}
