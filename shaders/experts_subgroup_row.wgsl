// Products of single pairs (row, slot) with the expert that each chose, by one subgroup a workgroup, without workgroup
// memory or barriers: decoding on software adapters.
//
// output[pair][output_offset + column] = Σ_k input[pair / pairsPerInput][k] · W[choice[pair] · columns + column][k]
//   input f32 [pairs / pairsPerInput][inputs], output f32 [pairs][output_stride]; weights as in matmul_weights.wgsl, the
//   experts' columns one after another; this part has those from shape.first_column on.
// Bindings: 0 shape, 2 input, 3 output, 4 codes, 5 scales, 6 experts, 7 choice.
// Mapping: workgroup (x, y) = columns x · LANES · COLUMNS … of pair y.
// Constants: those of matmul_row_sums.wgsl with MATRICES = 1.
// Reference: multiplyChosen in engine/reference/experts.ts. Texts: matmul_weights.wgsl, matmul_row_sums.wgsl.

struct Experts {
  // Of one expert.
  columns: u32,
  pairsPerInput: u32,
}

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(6) var<uniform> experts: Experts;
@group(0) @binding(7) var<storage, read> choice: array<u32>;

fn row_quad(place: u32) -> vec4<f32> { return input[place]; }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let pair = group.y;
  let first_column = group.x * (LANES * COLUMNS) + lane;
  // Wraps around below this part's first column, and is then too large as well.
  let first_weight = choice[pair] * experts.columns - shape.first_column;
  let sums = sums_of0(first_weight + first_column, shape.outputs - 1u, shape.blocks, (pair / experts.pairsPerInput) * (shape.inputs / 4u), lane);
//@unroll c COLUMNS
  {
    let own = first_column + $cu * LANES;
    if (own < experts.columns && first_weight + own < shape.outputs) { output[pair * shape.output_stride + shape.output_offset + own] = sums.sum$c; }
  }
//@end
}
