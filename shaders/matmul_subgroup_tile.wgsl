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
  let first_column = group.x * (LANES * COLUMNS);
  let tile = first_column / TILE;
  let in_tile = first_column % TILE + lane;
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
  for (var block = 0u; block < shape.blocks; block++) {
//@unroll c COLUMNS
//@if HAS_SCALES
    let record$c = scale_record(tile, block, in_tile + $cu * LANES);
//@end
//@unroll u UNITS
    let unit$u_$c = code_unit(tile, block * UNITS + $uu, in_tile + $cu * LANES);
//@end
//@end
//@unroll c COLUMNS
//@if HAS_SCALES
    let low_scale$c = scale_of(record$c, 0u);
//@if SPLIT_BLOCK
    let high_scale$c = scale_of(record$c, 1u);
//@else
    let high_scale$c = low_scale$c;
//@end
//@end
//@end
//@unroll u UNITS
//@unroll f FIELDS
    {
      const quad = $uu * FIELDS + $fu;
//@unroll g ROW_GROUPS
      let own$g = input[input_start$g + block * 8u + quad];
//@end
//@unroll c COLUMNS
//@if HAS_SCALES
      let scale$c = select(low_scale$c, high_scale$c, SPLIT_BLOCK && quad >= 4u);
      let weight$c = field$f(unit$u_$c) * (scale$c.x * shrink$f) + vec4<f32>(scale$c.y);
//@else
      let weight$c = field$f(unit$u_$c);
//@end
//@end
//@unroll g ROW_GROUPS
//@unroll l LANES
      {
//@if BY_COMPONENT
        // One component at a time keeps fewer products alive: faster where the compiler spills well.
        let x = subgroupBroadcast(own$g.x, $lu);
//@unroll c COLUMNS
        sum$g_$l_$c += x * weight$c.x;
//@end
        let y = subgroupBroadcast(own$g.y, $lu);
//@unroll c COLUMNS
        sum$g_$l_$c += y * weight$c.y;
//@end
        let z = subgroupBroadcast(own$g.z, $lu);
//@unroll c COLUMNS
        sum$g_$l_$c += z * weight$c.z;
//@end
        let w = subgroupBroadcast(own$g.w, $lu);
//@unroll c COLUMNS
        sum$g_$l_$c += w * weight$c.w;
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
    let column = first_column + lane + $cu * LANES;
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
