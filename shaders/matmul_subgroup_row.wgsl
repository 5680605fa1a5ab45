// Matrix product of single rows by one subgroup a workgroup, without workgroup memory or barriers: the
// decode kernel of software adapters, where loads cost and arithmetic does not.
//
// output[row][output_offset + column] (+)= Σ_k input[row][k] · W[column][k]
//   input  f32 [rows][inputs], output f32 [rows][output_stride]; weights as in matmul_weights.wgsl.
//   GATED: columns are gates and, outputs / 2 further on, what they let through; column c of the output, one row
//   without offset, becomes activation(gate) · up.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales.
// Mapping: workgroup (x, y) = columns x · LANES · COLUMNS … of row y; a lane owns COLUMNS columns, LANES
// apart. A block of 32 inputs is loaded once, a quad (4 inputs) a lane, and handed round by broadcast. With GATED a
// workgroup takes its gates and then what they let through: one run of weights at a time, as they lie in memory.
// Constants: LANES (4 or 8), OWN_QUADS = 8 / LANES, COLUMNS, FIELD_BITS = 32 / FIELDS for codes, 0 for
// floats, GATED, GELU; TILE is a multiple of LANES · COLUMNS.
// Reference: multiply in engine/reference/matmul.ts and gate in engine/reference/gated.ts. Texts: matmul_weights.wgsl
// and, with GATED, activation.wgsl.

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let first_column = group.x * (LANES * COLUMNS) + lane;
  let input_start = group.y * (shape.inputs / 4u) + lane;
  // A quad meets one field of the units, so the field's factor is multiplied into the inputs.
//@unroll h OWN_QUADS
  let shrink_own$h = exp2(-f32(FIELD_BITS) * f32((lane + $hu * LANES) % FIELDS));
//@end
//@if GATED
  let outputs = shape.outputs / 2u;
//@unroll c COLUMNS
  var gate$c = 0.0;
//@end
  for (var half = 0u; half < 2u; half++) {
//@end
//@unroll c COLUMNS
//@if GATED
  let column$c = column_at(min(first_column + $cu * LANES, outputs - 1u) + half * outputs);
//@else
  let column$c = column_at(first_column + $cu * LANES);
//@end
  var sum$c = 0.0;
//@end
  for (var block = 0u; block < shape.blocks; block++) {
//@unroll h OWN_QUADS
    let own$h = input[input_start + block * 8u + $hu * LANES];
    let own_sum$h = own$h.x + own$h.y + own$h.z + own$h.w;
    let shrunk$h = own$h * shrink_own$h;
//@end
//@unroll q 8
    let x$q = subgroupBroadcast(shrunk$[$q / LANES], $[$q % LANES]u);
//@end
//@if HAS_SCALES
    // Sums of the inputs, which the offsets multiply, and of those that meet the top field.
//@if SPLIT_BLOCK
//@if FOUR_LANES
    let input_sum0 = subgroupAdd(own_sum0);
    let input_sum1 = subgroupAdd(own_sum1);
//@else
    let input_sum0 = subgroupAdd(select(0.0, own_sum0, lane < 4u));
    let input_sum1 = subgroupAdd(own_sum0) - input_sum0;
//@end
//@else
//@if FOUR_LANES
    let input_sum = subgroupAdd(own_sum0 + own_sum1);
//@else
    let input_sum = subgroupAdd(own_sum0);
//@end
//@end
//@if CODES4
    let excess0 = 0.0;
//@else
    let excess0 = TOP_EXCESS * subgroupBroadcast(own_sum0, 3u);
//@end
    let excess1 = TOP_EXCESS * subgroupBroadcast(own_sum$[7 / LANES], $[7 % LANES]u);
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
//@if GATED
//@unroll c COLUMNS
    {
      let column = first_column + $cu * LANES;
      if (half == 0u) { gate$c = sum$c; } else if (column < outputs && group.y < step.rows) { output[column] = activate(vec4<f32>(gate$c)).x * sum$c; }
    }
//@end
  }
//@else
  if (group.y < step.rows) {
//@unroll c COLUMNS
    {
      let column = first_column + $cu * LANES;
      if (column < shape.outputs) {
        let place = group.y * shape.output_stride + shape.output_offset + column;
        if (shape.accumulate == 1u) { output[place] += sum$c; } else { output[place] = sum$c; }
      }
    }
//@end
  }
//@end
}
