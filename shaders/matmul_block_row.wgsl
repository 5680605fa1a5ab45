// Matrix product of single rows by one subgroup a workgroup, a lane for each block of the row: the decode kernel of
// software adapters with few lanes, where handing inputs round costs more than adding lanes up once for a column.
//
// output[row][output_offset + column] (+)= Σ_k input[row][k] · W[column][k]
//   input  f32 [rows][inputs], output f32 [rows][output_stride]; weights as in matmul_weights.wgsl.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales.
// Mapping: workgroup (x, y) = run x of as many as there are of all columns, of row y. Lane l owns blocks l, l + LANES … of a
// chunk of LANES · GROUPS blocks, whose inputs it keeps for all of its columns. The loop over columns has to fit an
// instruction cache, which is what bounds GROUPS.
// Gates are left to another kernel: applied here they cost more than a dispatch does.
// Constants: LANES, GROUPS, FIELD_MASK (of codes).
// Reference: multiply in engine/reference/matmul.ts. Texts: matmul_weights.wgsl.

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

const ones = vec4<f32>(1.0);

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let each = (shape.outputs + groups.x - 1u) / groups.x;
  let end = min((group.x + 1u) * each, shape.outputs);
  let start = group.y * (shape.inputs / 4u);
  // Nothing that the compiler knows: see numbersF.
  let nothing = step.rows >> 31u;
//@unroll f FIELDS
//@if HAS_SCALES
  let mask$f = (FIELD_MASK << (32u / FIELDS * $fu)) | nothing;
//@else
  let mask$f = nothing;
//@end
//@end
  for (var chunk = 0u; chunk < shape.blocks; chunk += LANES * GROUPS) {
//@unroll g GROUPS
    let own$g = chunk + $gu * LANES + lane;
    let block$g = min(own$g, shape.blocks - 1u);
    let used$g = f32(own$g < shape.blocks);
//@unroll q 8
    let input$g_$q = input[start + block$g * 8u + $qu] * used$g;
    // A quad meets one field of the units, so the field's factor is multiplied into the inputs.
    let x$g_$q = input$g_$q * shrink$[ $q % FIELDS ];
//@end
//@if HAS_SCALES
    // Sums of the inputs of either half, which the offsets multiply, and what codes lack: see matmul_weights.wgsl.
    let sum$g_0 = dot(input$g_0 + input$g_1 + input$g_2 + input$g_3, ones);
    let sum$g_1 = dot(input$g_4 + input$g_5 + input$g_6 + input$g_7, ones);
//@if CODES4
    let lack$g_0 = -shape.zero_point * sum$g_0;
//@else
    let lack$g_0 = TOP_EXCESS * dot(input$g_3, ones) - shape.zero_point * sum$g_0;
//@end
    let lack$g_1 = TOP_EXCESS * dot(input$g_7, ones) - shape.zero_point * sum$g_1;
//@end
//@end
    for (var c = group.x * each; c < end; c++) {
      let column = column_at(c);
//@unroll g GROUPS
//@unroll u UNITS
      let unit$g_$u = code_unit(column, block$g * UNITS + $uu);
//@end
//@if HAS_SCALES
      let record$g = scale_record(column, block$g);
      let first$g = pair_of(record$g, 0u);
//@if SPLIT_BLOCK
      let second$g = pair_of(record$g, 1u);
//@end
//@end
//@unroll q 8
      let product$g_$q = dot(x$g_$q, numbers$[ $q % FIELDS ](unit$g_$[ $q / FIELDS ], mask$[ $q % FIELDS ]));
//@end
      // Few sums are carried on: the compiler keeps those in memory, and each waits for the one before.
      let part$g_0 = product$g_0 + product$g_1 + product$g_2 + product$g_3;
      let part$g_1 = product$g_4 + product$g_5 + product$g_6 + product$g_7;
//@if HAS_SCALES
//@if SPLIT_BLOCK
      let block_sum$g = (part$g_0 + lack$g_0) * first$g.x + sum$g_0 * first$g.y + (part$g_1 + lack$g_1) * second$g.x + sum$g_1 * second$g.y;
//@else
      let block_sum$g = (part$g_0 + part$g_1 + (lack$g_0 + lack$g_1)) * first$g.x + (sum$g_0 + sum$g_1) * first$g.y;
//@end
//@else
      let block_sum$g = part$g_0 + part$g_1;
//@end
//@end
      let sum = subgroupAdd(0.0
//@unroll g GROUPS
        + block_sum$g
//@end
      );
      if (lane == 0u && group.y < step.rows) {
        let place = group.y * shape.output_stride + shape.output_offset + c;
        let before = select(0.0, output[place], shape.accumulate == 1u || chunk > 0u);
        output[place] = before + sum;
      }
    }
  }
}
