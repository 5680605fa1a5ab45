// Products of a tile of pairs (row, slot) with the expert that all of them chose, on a GPU: a workgroup expands 32
// inputs of 64 columns and 32 pairs into workgroup memory and multiplies them, 2 × 4 outputs a thread.
//
// output[pair][output_offset + column] = Σ_k input[pair / pairsPerInput][k] · W[expert · columns + column][k]
//   input f32 [pairs / pairsPerInput][inputs], output f32 [pairs][output_stride]; weights as in matmul_weights.wgsl, the
//   experts' columns one after another; this part has those from shape.first_column on.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales, 6 experts, 7 order, 8 tiles (experts_group.wgsl).
// Mapping: workgroup (x, y) = columns 64x … 64x+63 of tile y; 256 threads.
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

// [input of the block][pair or column], padded against bank conflicts.
const INPUT_PITCH = 34u;
const WEIGHT_PITCH = 68u;
var<workgroup> input_tile: array<f32, 32 * INPUT_PITCH>;
var<workgroup> weight_tile: array<f32, 32 * WEIGHT_PITCH>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let tile = tiles[group.y];
  let first = tile.x * experts.columns - shape.first_column;
  if (tile.z == 0u) { return; }
  // While loading, a thread owns one column and two of the eight quads of a block, and one pair and one quad.
  let lane = thread % 64u;
  let own_column = group.x * 64u + lane;
  let own_here = own_column < experts.columns && first + own_column < shape.outputs;
  let column = column_at(select(0u, first + own_column, own_here));
  let own_pair = order[tile.y + min(thread % 32u, tile.z - 1u)];
  let input_start = (own_pair / experts.pairsPerInput) * (shape.inputs / 4u) + thread / 32u;
  let input_place = (thread / 32u) * 4u * INPUT_PITCH + thread % 32u;
  // While multiplying, it owns 2 pairs and 4 columns.
  let thread_column = 4u * (thread % 16u);
  let thread_row = 2u * (thread / 16u);
  var sum0 = vec4<f32>(0.0);
  var sum1 = vec4<f32>(0.0);
  for (var block = 0u; block < shape.blocks; block++) {
    let x = input[input_start + block * 8u];
    input_tile[input_place] = x.x;
    input_tile[input_place + INPUT_PITCH] = x.y;
    input_tile[input_place + 2u * INPUT_PITCH] = x.z;
    input_tile[input_place + 3u * INPUT_PITCH] = x.w;
    let record = scale_record(column, block);
//@unroll i 2
    {
      let quad = thread / 64u + $iu * 4u;
      let unit = code_unit(column, block * UNITS + quad / FIELDS);
      let weight = field_at(unit, quad % FIELDS, scale_of(record, $iu));
      let place = quad * 4u * WEIGHT_PITCH + lane;
      weight_tile[place] = weight.x;
      weight_tile[place + WEIGHT_PITCH] = weight.y;
      weight_tile[place + 2u * WEIGHT_PITCH] = weight.z;
      weight_tile[place + 3u * WEIGHT_PITCH] = weight.w;
    }
//@end
    workgroupBarrier();
    for (var k = 0u; k < 32u; k++) {
      let w = k * WEIGHT_PITCH + thread_column;
      let weight = vec4<f32>(weight_tile[w], weight_tile[w + 1u], weight_tile[w + 2u], weight_tile[w + 3u]);
      sum0 += input_tile[k * INPUT_PITCH + thread_row] * weight;
      sum1 += input_tile[k * INPUT_PITCH + thread_row + 1u] * weight;
    }
    workgroupBarrier();
  }
//@unroll r 2
  if (thread_row + $ru < tile.z) {
    let place = order[tile.y + thread_row + $ru] * shape.output_stride + shape.output_offset;
//@unroll c 4
    {
      let out = group.x * 64u + thread_column + $cu;
      if (out < experts.columns && first + out < shape.outputs) { output[place + out] = sum$r[$c]; }
    }
//@end
  }
//@end
}
