// One row times a run of columns by one subgroup: what the decode kernels of software adapters multiply with. Loads cost
// there and arithmetic does not.
//
// sums_of0(…).sum_c = Σ_k row[k] · W0[first_column + c · LANES][k], and so on for each of MATRICES matrices of one format.
// Bindings: 4 + 2m codes, 5 + 2m scales of matrix m; weights as in matmul_weights.wgsl.
// Mapping: a lane owns COLUMNS columns, LANES apart. A block of 32 inputs is loaded once, a quad (4 inputs) a lane, and
// handed round by broadcast.
// The kernel that uses it defines row_quad(place): four inputs of its row.
// Constants: MATRICES, LANES (4 or 8), OWN_QUADS = 8 / LANES, COLUMNS, FIELD_BITS = 32 / FIELDS for codes, 0 for floats.
// Reference: multiply in engine/reference/matmul.ts. Texts: matmul_weights.wgsl.

struct Sums {
//@unroll c COLUMNS
  sum$c: f32,
//@end
}

// The sum over all lanes, in each of them. lavapipe (eight lanes) adds them one after another where it is left to
// subgroupAdd; SwiftShader (four) takes a tenth of the instructions that shuffles take it.
fn sum_of_lanes(mine: f32) -> f32 {
//@if FOUR_LANES
  return subgroupAdd(mine);
//@else
  let pairs = mine + subgroupShuffleXor(mine, 1u);
  let fours = pairs + subgroupShuffleXor(pairs, 2u);
  return fours + subgroupShuffleXor(fours, 4u);
//@end
}

//@unroll m MATRICES
//@if IN_TEXTURE
@group(0) @binding($[ $m * 2 + 4 ]) var codes$m: CodeTexture;
//@else
@group(0) @binding($[ $m * 2 + 4 ]) var<storage, read> codes$m: array<vec4<u32>>;
//@end
//@if HAS_SCALES
//@if SCALES_IN_TEXTURE
@group(0) @binding($[ $m * 2 + 5 ]) var scales$m: ScaleTexture;
//@else
@group(0) @binding($[ $m * 2 + 5 ]) var<storage, read> scales$m: array<ScaleRecord>;
//@end
//@end

// `start`: place of the row's first quad; `last_column`: columns beyond it are computed as that one.
fn sums_of$m(first_column: u32, last_column: u32, blocks: u32, start: u32, lane: u32) -> Sums {
  // A quad meets one field of the units, so the field's factor is multiplied into the inputs.
//@unroll h OWN_QUADS
  let shrink_own$h = exp2(-f32(FIELD_BITS) * f32((lane + $hu * LANES) % FIELDS));
//@end
//@unroll c COLUMNS
  let column$c = min(first_column + $cu * LANES, last_column);
  let tile$c = column$c / TILE;
  let in_tile$c = column$c % TILE;
  var sum$c = 0.0;
//@end
  for (var block = 0u; block < blocks; block++) {
//@unroll h OWN_QUADS
    let own$h = row_quad(start + block * 8u + lane + $hu * LANES);
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
    let input_sum0 = sum_of_lanes(own_sum0);
    let input_sum1 = sum_of_lanes(own_sum1);
//@else
    let input_sum0 = sum_of_lanes(select(0.0, own_sum0, lane < 4u));
    let input_sum1 = sum_of_lanes(own_sum0) - input_sum0;
//@end
//@else
//@if FOUR_LANES
    let input_sum = sum_of_lanes(own_sum0 + own_sum1);
//@else
    let input_sum = sum_of_lanes(own_sum0);
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
//@if HAS_SCALES
//@if SCALES_IN_TEXTURE
      let record = record_of(textureLoad(scales$m, vec2<u32>(in_tile$c + block * TILE, tile$c)));
//@else
      let record = scales$m[(tile$c * blocks + block) * TILE + in_tile$c];
//@end
//@end
      // One sum for each half of the block: blocks of 16 need them, and two chains of additions overlap.
      var part0 = excess0;
      var part1 = excess1;
//@unroll u UNITS
      {
//@if IN_TEXTURE
//@if SAMPLED
        let unit = textureLoad(codes$m, vec2<u32>(in_tile$c + (block * UNITS + $uu) * TILE, tile$c), 0);
//@else
        let unit = textureLoad(codes$m, vec2<u32>(in_tile$c + (block * UNITS + $uu) * TILE, tile$c));
//@end
//@else
        let unit = codes$m[((tile$c * blocks + block) * UNITS + $uu) * TILE + in_tile$c];
//@end
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
  return Sums(
//@unroll c COLUMNS
    sum$c,
//@end
  );
}
//@end
