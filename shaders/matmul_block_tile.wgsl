// Matrix product of a tile of rows by one subgroup a workgroup, a lane for each row: the prefill kernel of software
// adapters with few lanes. Weights are handed round as packed words, eight at four bits at a time, and inputs not at all.
//
// output[row][output_offset + column] (+)= Σ_k input[row][k] · W[column][k]
//   input  f32 [rows][inputs], output f32 [rows][output_stride]; weights as in matmul_weights.wgsl.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales.
// Mapping: workgroup (x, y) = run x of as many as there are of all columns, of rows y · LANES · GROUPS …; lane l owns row l
// of each group. The inputs of a chunk of BLOCKS blocks are kept for all of these columns, and the output gathers the
// chunks. The loop over columns has to fit an instruction cache, which is what bounds GROUPS and BLOCKS.
// Constants: LANES, GROUPS, BLOCKS (at most LANES), FIELD_MASK (of codes).
// Reference: multiply in engine/reference/matmul.ts. Texts: matmul_weights.wgsl.

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

const ones = vec4<f32>(1.0);

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let each = (shape.outputs + groups.x - 1u) / groups.x;
  let end = min((group.x + 1u) * each, shape.outputs);
//@unroll g GROUPS
  let own$g = group.y * (LANES * GROUPS) + $gu * LANES + lane;
  let row$g = min(own$g, step.rows - 1u);
  let start$g = row$g * (shape.inputs / 4u);
  let target$g = row$g * shape.output_stride + shape.output_offset;
//@end
  // Nothing that the compiler knows: see numbersF.
  let nothing = step.rows >> 31u;
//@unroll f FIELDS
//@if HAS_SCALES
  let mask$f = (FIELD_MASK << (32u / FIELDS * $fu)) | nothing;
//@else
  let mask$f = nothing;
//@end
//@end
  for (var chunk = 0u; chunk < shape.blocks; chunk += BLOCKS) {
//@unroll b BLOCKS
    let block$b = min(chunk + $bu, shape.blocks - 1u);
    let used$b = f32(chunk + $bu < shape.blocks);
//@unroll g GROUPS
//@unroll q 8
    let input$g_$b_$q = input[start$g + block$b * 8u + $qu] * used$b;
    // A quad meets one field of the units, so the field's factor is multiplied into the inputs.
    let x$g_$b_$q = input$g_$b_$q * shrink$[ $q % FIELDS ];
//@end
//@if HAS_SCALES
    // Sums of the inputs of either half, which the offsets multiply, and what codes lack: see matmul_weights.wgsl.
    let sum$g_$b_0 = dot(input$g_$b_0 + input$g_$b_1 + input$g_$b_2 + input$g_$b_3, ones);
    let sum$g_$b_1 = dot(input$g_$b_4 + input$g_$b_5 + input$g_$b_6 + input$g_$b_7, ones);
//@if CODES4
    let lack$g_$b_0 = -shape.zero_point * sum$g_$b_0;
//@else
    let lack$g_$b_0 = TOP_EXCESS * dot(input$g_$b_3, ones) - shape.zero_point * sum$g_$b_0;
//@end
    let lack$g_$b_1 = TOP_EXCESS * dot(input$g_$b_7, ones) - shape.zero_point * sum$g_$b_1;
    let block_sum$g_$b = sum$g_$b_0 + sum$g_$b_1;
    let block_lack$g_$b = lack$g_$b_0 + lack$g_$b_1;
//@end
//@end
//@end
    let adds = shape.accumulate == 1u || chunk > 0u;
    // Lane l loads what belongs to block l.
    let block = min(chunk + lane, shape.blocks - 1u);
    for (var c = group.x * each; c < end; c++) {
      let column = column_at(c);
//@unroll u UNITS
      let units$u = code_unit(column, block * UNITS + $uu);
//@end
//@if HAS_SCALES
      let record = scale_record(column, block);
      let firsts = pair_of(record, 0u);
//@if SPLIT_BLOCK
      let seconds = pair_of(record, 1u);
//@end
//@end
//@unroll g GROUPS
      let before$g = select(0.0, output[target$g + c], adds);
//@end
//@unroll b BLOCKS
//@unroll u UNITS
      let unit$b_$u = subgroupBroadcast(units$u, $bu);
//@end
      // Pairs of quads: the numbers of two stay in registers while all groups meet them. And few sums are carried on: the
      // compiler keeps those in memory, and each waits for the one before.
//@unroll p 4
      let even$b_$p = numbers$[ $p * 2 % FIELDS ](unit$b_$[ $p * 2 / FIELDS ], mask$[ $p * 2 % FIELDS ]);
      let odd$b_$p = numbers$[ $p * 2 % FIELDS + 1 % FIELDS ](unit$b_$[ $p * 2 / FIELDS + 1 / FIELDS ], mask$[ $p * 2 % FIELDS + 1 % FIELDS ]);
//@unroll g GROUPS
      let product$g_$b_$p = dot(x$g_$b_$[ $p * 2 ], even$b_$p) + dot(x$g_$b_$[ $p * 2 + 1 ], odd$b_$p);
//@end
//@end
//@if HAS_SCALES
      let first$b = subgroupBroadcast(firsts, $bu);
//@if SPLIT_BLOCK
      let second$b = subgroupBroadcast(seconds, $bu);
//@end
//@end
//@unroll g GROUPS
//@if HAS_SCALES
//@if SPLIT_BLOCK
      let part$g_$b = (product$g_$b_0 + product$g_$b_1 + lack$g_$b_0) * first$b.x + sum$g_$b_0 * first$b.y
        + (product$g_$b_2 + product$g_$b_3 + lack$g_$b_1) * second$b.x + sum$g_$b_1 * second$b.y;
//@else
      let part$g_$b = (product$g_$b_0 + product$g_$b_1 + product$g_$b_2 + product$g_$b_3 + block_lack$g_$b) * first$b.x + block_sum$g_$b * first$b.y;
//@end
//@else
      let part$g_$b = product$g_$b_0 + product$g_$b_1 + product$g_$b_2 + product$g_$b_3;
//@end
//@end
//@end
//@unroll g GROUPS
      if (own$g < step.rows) {
        output[target$g + c] = before$g
//@unroll b BLOCKS
          + part$g_$b
//@end
        ;
      }
//@end
    }
  }
}
