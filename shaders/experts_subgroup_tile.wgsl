// Products of a tile of pairs (row, slot) with the expert that all of them chose, by one subgroup a workgroup, without
// workgroup memory or barriers: reading on software adapters. matmul_subgroup_tile.wgsl with other rows and columns.
//
// output[pair][output_offset + column] = Σ_k input[pair / pairsPerInput][k] · W[expert · columns + column][k]
//   input f32 [pairs / pairsPerInput][inputs], output f32 [pairs][output_stride]; weights as in matmul_weights.wgsl, the
//   experts' columns one after another; this part has those from shape.first_column on.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales, 6 experts, 7 order, 8 tiles (experts_group.wgsl).
// Mapping: workgroup (x, y) = columns x · LANES · COLUMNS … of tile y, which has LANES · ROW_GROUPS pairs; a lane owns
//   COLUMNS columns, LANES apart, of every pair. Inputs are loaded with lane = pair and broadcast.
// Constants: LANES, COLUMNS, ROW_GROUPS, BY_COMPONENT.
// Reference: multiplyChosen in engine/reference/experts.ts. Texts: matmul_weights.wgsl.

struct Experts {
  // Of one expert.
  columns: u32,
  pairsPerInput: u32,
}

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(6) var<uniform> experts: Experts;
@group(0) @binding(7) var<storage, read> order: array<u32>;
@group(0) @binding(8) var<storage, read> tiles: array<vec4<u32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let first_column = group.x * (LANES * COLUMNS) + lane;
  let tile = tiles[group.y];
  if (tile.z == 0u) { return; }
  // Wraps around below this part's first column, and is then too large as well.
  let first_weight = tile.x * experts.columns - shape.first_column;
//@unroll g ROW_GROUPS
  let pair$g = order[tile.y + min($gu * LANES + lane, tile.z - 1u)];
  let input_start$g = (pair$g / experts.pairsPerInput) * (shape.inputs / 4u);
  let output_start$g = pair$g * shape.output_stride + shape.output_offset;
//@unroll l LANES
//@unroll c COLUMNS
  var sum$g_$l_$c = 0.0;
//@end
//@end
//@end
//@unroll c COLUMNS
  let place$c = first_column + $cu * LANES;
  let here$c = place$c < experts.columns && first_weight + place$c < shape.outputs;
  let column$c = column_at(select(0u, first_weight + place$c, here$c));
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
//@unroll g ROW_GROUPS
//@unroll l LANES
  {
    let start = subgroupBroadcast(output_start$g, $lu);
    if ($gu * LANES + $lu < tile.z) {
//@unroll c COLUMNS
      if (here$c) { output[start + place$c] = sum$g_$l_$c; }
//@end
    }
  }
//@end
//@end
}
