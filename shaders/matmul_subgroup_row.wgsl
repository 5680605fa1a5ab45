// Matrix product of single rows by one subgroup a workgroup, without workgroup memory or barriers: the
// decode kernel of software adapters, where loads cost and arithmetic does not.
//
// output[row][output_offset + column] (+)= Σ_k input[row][k] · W[column][k]
//   input  f32 [rows][inputs], output f32 [rows][output_stride]; weights as in matmul_weights.wgsl.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales.
// Mapping: workgroup (x, y) = columns x · LANES · COLUMNS … of row y; a lane owns COLUMNS columns, LANES
// apart. A block of 32 inputs is loaded once, spread over the lanes, and handed round by broadcast.
// TILE is a multiple of LANES · COLUMNS; FIELD_BITS = 32 / FIELDS for codes, 0 for floats.
// Reference: multiply in engine/reference/matmul.ts. Texts: matmul_weights.wgsl.

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let first_column = group.x * (LANES * COLUMNS);
  let tile = first_column / TILE;
  let in_tile = first_column % TILE + lane;
  let input_start = group.y * (shape.inputs / 4u) + lane;
  // A quad meets one field of the unit, so the field's factor is multiplied into the inputs.
  let shrink_own0 = exp2(-f32(FIELD_BITS) * f32(lane % FIELDS));
  let shrink_own1 = exp2(-f32(FIELD_BITS) * f32((lane + LANES) % FIELDS));
//@unroll c COLUMNS
  var sum$c = 0.0;
//@end
  for (var block = 0u; block < shape.blocks; block++) {
    // Quad q of the block lies in lane q % LANES of own0 (or, with four lanes, own1).
    let own0 = input[input_start + block * 8u];
//@if FOUR_LANES
    let own1 = input[input_start + block * 8u + 4u];
    let own = own0 + own1;
    let shrunk1 = own1 * shrink_own1;
//@else
    let own1 = own0;
    let own = own0;
    let shrunk1 = own0;
//@end
    let shrunk0 = own0 * shrink_own0;
//@unroll c COLUMNS
//@if HAS_SCALES
    let record$c = scale_record(tile, block, in_tile + $cu * LANES);
//@end
//@unroll u UNITS
    let unit$u_$c = code_unit(tile, block * UNITS + $uu, in_tile + $cu * LANES);
//@end
//@end
//@if HAS_SCALES
//@if SPLIT_BLOCK
    let input_sums = half_sums(own0, own1, lane);
//@else
    let input_sum = subgroupAdd(own.x + own.y + own.z + own.w);
//@end
//@end
//@unroll c COLUMNS
    var low$c = 0.0;
    var high$c = 0.0;
//@end
//@unroll u UNITS
//@unroll f FIELDS
    {
      const quad = $uu * FIELDS + $fu;
      let x = subgroupBroadcast(select(shrunk0, shrunk1, quad >= LANES), quad % LANES);
//@unroll c COLUMNS
      if (SPLIT_BLOCK && quad >= 4u) {
        high$c += dot(x, field$f(unit$u_$c));
      } else {
        low$c += dot(x, field$f(unit$u_$c));
      }
//@end
    }
//@end
//@end
//@unroll c COLUMNS
//@if HAS_SCALES
    let scale$c = scale_of(record$c, 0u);
//@if SPLIT_BLOCK
    let high_scale$c = scale_of(record$c, 1u);
    sum$c += low$c * scale$c.x + input_sums.x * scale$c.y + high$c * high_scale$c.x + input_sums.y * high_scale$c.y;
//@else
    sum$c += low$c * scale$c.x + input_sum * scale$c.y;
//@end
//@else
    sum$c += low$c;
//@end
//@end
  }
  if (group.y < step.rows) {
//@unroll c COLUMNS
    {
      let column = first_column + lane + $cu * LANES;
      if (column < shape.outputs) {
        let place = group.y * shape.output_stride + shape.output_offset + column;
        if (shape.accumulate == 1u) { output[place] += sum$c; } else { output[place] = sum$c; }
      }
    }
//@end
  }
}

//@if HAS_SCALES
//@if SPLIT_BLOCK
// Sums of the inputs 0–15 and 16–31 of a block.
fn half_sums(own0: vec4<f32>, own1: vec4<f32>, lane: u32) -> vec2<f32> {
//@if FOUR_LANES
  return vec2<f32>(subgroupAdd(own0.x + own0.y + own0.z + own0.w), subgroupAdd(own1.x + own1.y + own1.z + own1.w));
//@else
  let mine = own0.x + own0.y + own0.z + own0.w;
  let all = subgroupAdd(mine);
  let low = subgroupAdd(select(0.0, mine, lane < 4u));
  return vec2<f32>(low, all - low);
//@end
}
//@end
//@end
