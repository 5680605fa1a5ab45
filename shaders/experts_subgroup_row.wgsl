// Products of single pairs (row, slot) with the expert that each chose, by one subgroup a workgroup, without workgroup
// memory or barriers: decoding on software adapters. matmul_subgroup_row.wgsl with other rows and columns.
//
// output[pair][output_offset + column] = Σ_k input[pair / pairsPerInput][k] · W[choice[pair] · columns + column][k]
//   input f32 [pairs / pairsPerInput][inputs], output f32 [pairs][output_stride]; weights as in matmul_weights.wgsl, the
//   experts' columns one after another; this part has those from shape.first_column on.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales, 6 experts, 7 choice.
// Mapping: workgroup (x, y) = columns x · LANES · COLUMNS … of pair y; a lane owns COLUMNS columns, LANES apart. A block of
//   32 inputs is loaded once, a quad (4 inputs) a lane, and handed round by broadcast.
// Constants: LANES (4 or 8), OWN_QUADS = 8 / LANES, COLUMNS, FIELD_BITS = 32 / FIELDS for codes, 0 for floats.
// Reference: multiplyChosen in engine/reference/experts.ts. Texts: matmul_weights.wgsl.

struct Experts {
  // Of one expert.
  columns: u32,
  pairsPerInput: u32,
}

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(6) var<uniform> experts: Experts;
@group(0) @binding(7) var<storage, read> choice: array<u32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let pair = group.y;
  let first_column = group.x * (LANES * COLUMNS) + lane;
  // Wraps around below this part's first column, and is then too large as well.
  let first_weight = choice[pair] * experts.columns - shape.first_column;
  let input_start = (pair / experts.pairsPerInput) * (shape.inputs / 4u) + lane;
  // A quad meets one field of the units, so the field's factor is multiplied into the inputs.
//@unroll h OWN_QUADS
  let shrink_of_lane$h = exp2(-f32(FIELD_BITS) * f32((lane + $hu * LANES) % FIELDS));
//@end
//@unroll c COLUMNS
  let own$c = first_column + $cu * LANES;
  let here$c = own$c < experts.columns && first_weight + own$c < shape.outputs;
  let column$c = column_at(select(0u, first_weight + own$c, here$c));
  var sum$c = 0.0;
//@end
  for (var block = 0u; block < shape.blocks; block++) {
//@unroll h OWN_QUADS
    let part_of_input$h = input[input_start + block * 8u + $hu * LANES];
    let input_sum_of$h = part_of_input$h.x + part_of_input$h.y + part_of_input$h.z + part_of_input$h.w;
    let shrunk$h = part_of_input$h * shrink_of_lane$h;
//@end
//@unroll q 8
    let x$q = subgroupBroadcast(shrunk$[$q / LANES], $[$q % LANES]u);
//@end
//@if HAS_SCALES
    // Sums of the inputs, which the offsets multiply, and of those that meet the top field.
//@if SPLIT_BLOCK
//@if FOUR_LANES
    let input_sum0 = subgroupAdd(input_sum_of0);
    let input_sum1 = subgroupAdd(input_sum_of1);
//@else
    let input_sum0 = subgroupAdd(select(0.0, input_sum_of0, lane < 4u));
    let input_sum1 = subgroupAdd(input_sum_of0) - input_sum0;
//@end
//@else
//@if FOUR_LANES
    let input_sum = subgroupAdd(input_sum_of0 + input_sum_of1);
//@else
    let input_sum = subgroupAdd(input_sum_of0);
//@end
//@end
//@if CODES4
    let excess0 = 0.0;
//@else
    let excess0 = TOP_EXCESS * subgroupBroadcast(input_sum_of0, 3u);
//@end
    let excess1 = TOP_EXCESS * subgroupBroadcast(input_sum_of$[7 / LANES], $[7 % LANES]u);
//@else
    let excess0 = 0.0;
    let excess1 = 0.0;
//@end
//@unroll c COLUMNS
    {
      let record = scale_record(column$c, block);
      // One sum for each half of the block: blocks of 16 need them, and two chains of additions overlap.
      var part0 = excess0;
      var part1 = excess1;
//@unroll u UNITS
      {
        let unit = code_unit(column$c, block * UNITS + $uu);
//@unroll w 4
        {
          let word = unit[$w];
//@unroll f FIELDS
          part$[ $u * FIELDS / 4 + $f / 4 ] += x$[ $u * FIELDS + $f ][$w] * number$f(word);
//@end
        }
//@end
      }
//@end
//@if HAS_SCALES
//@if SPLIT_BLOCK
      let scale0 = scale_of(record, 0u);
      let scale1 = scale_of(record, 1u);
      sum$c += part0 * scale0.x + input_sum0 * scale0.y + part1 * scale1.x + input_sum1 * scale1.y;
//@else
      let scale = scale_of(record, 0u);
      sum$c += (part0 + part1) * scale.x + input_sum * scale.y;
//@end
//@else
      sum$c += part0 + part1;
//@end
    }
//@end
  }
//@unroll c COLUMNS
  if (here$c) { output[pair * shape.output_stride + shape.output_offset + own$c] = sum$c; }
//@end
}
