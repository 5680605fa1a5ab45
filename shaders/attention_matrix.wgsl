// Flash attention by subgroup matrices (tensor cores): many queries over a range of keys, with online softmax in f32.
// Each subgroup has ROWS queries. A block of keys is multiplied with them into scores, whose weights go back through
// workgroup memory as halves and multiply the block's values.
// The queries of one key-value head are numbered row·group + (head in its group).
// Shapes, bindings, CAUSAL, PARTIAL: those of attention_tiled.wgsl; queries, keys, values and weights are rounded to halves.
// Keys and values are staged in workgroup memory, from whatever kv_load.wgsl or kv_load_eight_bit.wgsl reads. Fragments
// keep the sums of all blocks; they are only rescaled when a maximum has grown by more than LAG, so that weights reach
// at most e^LAG.
// Mapping: workgroup x = tile of SUBGROUPS · ROWS queries, y = key-value head, z = split of the keys.
// Constants: M, N, K (the shape of a fragment), LANES, SUBGROUPS, ROW_FRAGMENTS, ROWS = M · ROW_FRAGMENTS, DIMS of a
//   head, KEYS of a block, CHUNK = output dimensions that are staged at once (divides DIMS, at most KEYS),
//   DIM_STEPS = DIMS / K, KEY_COLUMNS = KEYS / N, KEY_STEPS = KEYS / K, CHUNKS = DIMS / CHUNK,
//   CHUNK_COLUMNS = CHUNK / N, OWN = ROWS · CHUNK / LANES, PER_ROW lanes that share a row of scores, OWN_ROWS of a lane
//   (one of both is 1), STAGED = halves of `tile`, KEYS_AT = where keys begin in it, KEEP_QUERIES in fragments,
//   VECTOR_UNITS, and the capitals above.
// Reference: attendRange in engine/reference/attention.ts, to the precision of halves.
// Texts: kv_load.wgsl or kv_load_eight_bit.wgsl, attention_io.wgsl. Alias: Mixed = f32.

const THREADS = SUBGROUPS * LANES;
const QUERIES = SUBGROUPS * ROWS;
const UNITS = DIMS / 4u;
// In quads of halves; some more than a row has, so that neighbouring rows lie in different banks. Fragments want rows at
// multiples of 16 bytes.
const PITCH = (DIMS + 8u) / 4u;
const SCORE_PITCH = KEYS + 4u;
const WEIGHT_PITCH = KEYS + 8u;
const LAG = 8.0;

// The queries first; then a block's keys and after them its values.
var<workgroup> tile: array<vec2<u32>, STAGED / 4u>;
var<workgroup> scores: array<f32, QUERIES * SCORE_PITCH>;
var<workgroup> weights: array<f16, QUERIES * WEIGHT_PITCH>;
// What each row's sums are multiplied by: at a block, then at the end.
var<workgroup> factors: array<f32, QUERIES>;
var<workgroup> grown: array<u32, SUBGROUPS>;
//@if PARTIAL
// The share of what the split held before.
var<workgroup> kept: array<f32, QUERIES>;
//@end

fn halves(unit: vec4<f32>) -> vec2<u32> {
  let bounded = clamp(unit, vec4<f32>(-65504.0), vec4<f32>(65504.0));
  return vec2<u32>(pack2x16float(bounded.xy), pack2x16float(bounded.zw));
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let group = shape.heads / shape.kvHeads;
  let kvHead = workgroup.y;
  let firstQuery = workgroup.x * QUERIES;
  let lastQuery = min(firstQuery + QUERIES, step.rows * group) - 1u;
  let cacheBase = kvHead * shape.capacitySlots;
  let subgroup = invocation / LANES;
  let lane = invocation % LANES;
  let firstRow = subgroup * ROWS;

  // Keys that any query of the tile sees, and of those the part of this split.
//@if CAUSAL
  let tileEnd = step.position + lastQuery / group + 1u;
  let seenBy = step.position + firstQuery / group + 1u;
  let tileBegin = select(step.sealed, seenBy - min(seenBy, shape.window), shape.window > 0u);
//@else
  let tileBegin = 0u;
  let tileEnd = part.keys;
//@end
  // Splits begin at blocks, which begin at multiples of KEYS.
  let firstBlock = tileBegin - tileBegin % KEYS;
  let splitBlocks = ((tileEnd - firstBlock + KEYS - 1u) / KEYS + workgroups.z - 1u) / workgroups.z;
  let splitBegin = firstBlock + workgroup.z * splitBlocks * KEYS;
  let begin = max(tileBegin, splitBegin);
  let end = min(tileEnd, splitBegin + splitBlocks * KEYS);

  for (var i = invocation; i < QUERIES * UNITS; i += THREADS) {
    let head = headOf(min(firstQuery + i / UNITS, lastQuery), kvHead, group);
    tile[(i / UNITS) * PITCH + i % UNITS] = halves(queries[head * UNITS + i % UNITS]);
  }
  workgroupBarrier();
//@if KEEP_QUERIES
//@unroll i ROW_FRAGMENTS
//@unroll d DIM_STEPS
  let query$i_$d = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&tile, (firstRow + $iu * M) * PITCH + $du * K / 4u, PITCH);
//@end
//@end
  workgroupBarrier();
//@end

  // A lane's rows, while it scores.
//@unroll o OWN_ROWS
  let row$o = firstRow + lane / PER_ROW + $ou * LANES;
  let query_of$o = min(firstQuery + row$o, lastQuery);
  let head$o = headOf(query_of$o, kvHead, group);
  // The keys it sees: from … behind.
//@if CAUSAL
  let behind$o = min(end, step.position + query_of$o / group + 1u);
  let from$o = max(begin, select(0u, step.position + query_of$o / group + 1u - min(step.position + query_of$o / group + 1u, shape.window), shape.window > 0u));
//@else
  let behind$o = end;
  let from$o = begin;
//@end
  var maximum$o = NOTHING;
  var sum$o = 0.0;
//@end
  // What every query of the tile sees needs no mask.
//@if CAUSAL
  let allSeeBehind = min(end, seenBy);
  let allSeeFrom = max(begin, select(0u, tileEnd - min(tileEnd, shape.window), shape.window > 0u));
//@else
  let allSeeBehind = end;
  let allSeeFrom = begin;
//@end

//@unroll i ROW_FRAGMENTS
//@unroll c CHUNKS
//@unroll n CHUNK_COLUMNS
  var mixed$i_$c_$n: subgroup_matrix_result<f32, N, M>;
//@end
//@end
//@end
//@if PARTIAL
  let splitBase = (part.firstSplit + workgroup.z) * step.rows * shape.heads;
//@else
  let splitBase = workgroup.z * step.rows * shape.heads;
//@end

  for (var block = splitBegin; block < end; block += KEYS) {
    // Keys outside the part are its nearest one, and masked below.
    for (var i = invocation; i < KEYS * UNITS; i += THREADS) {
      let key = i / UNITS;
      let unit = i % UNITS;
      let vector = (cacheBase + clamp(block + key, begin, end - 1u) % shape.capacitySlots) * VECTOR_UNITS;
      let place = KEYS_AT / 4u + key * PITCH + unit;
//@if EIGHT_BIT
      tile[place] = halves(bitcast<f32>(keys[vector + UNITS]) * widen0(keys[vector + unit]));
      tile[place + KEYS * PITCH] = halves(bitcast<f32>(values[vector + UNITS]) * widen0(values[vector + unit]));
//@else
//@if HALF_CACHE
      tile[place] = keys[vector + unit];
      tile[place + KEYS * PITCH] = values[vector + unit];
//@else
      tile[place] = halves(widen0(keys[vector + unit]));
      tile[place + KEYS * PITCH] = halves(widen0(values[vector + unit]));
//@end
//@end
    }
    workgroupBarrier();
//@unroll j KEY_COLUMNS
    {
//@unroll i ROW_FRAGMENTS
      // Declared without a value it keeps that of the block before: compilers zero it once.
      var score$i = subgroup_matrix_result<f32, N, M>();
//@end
//@unroll d DIM_STEPS
      {
        let key = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, col_major>(&tile, KEYS_AT / 4u + $ju * N * PITCH + $du * K / 4u, PITCH);
//@unroll i ROW_FRAGMENTS
//@if KEEP_QUERIES
        score$i = subgroupMatrixMultiplyAccumulate(query$i_$d, key, score$i);
//@else
        score$i = subgroupMatrixMultiplyAccumulate(subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&tile, (firstRow + $iu * M) * PITCH + $du * K / 4u, PITCH), key, score$i);
//@end
//@end
      }
//@end
//@unroll i ROW_FRAGMENTS
      subgroupMatrixStore<row_major>(&scores, (firstRow + $iu * M) * SCORE_PITCH + $ju * N, score$i, SCORE_PITCH);
//@end
    }
//@end
    workgroupBarrier();

    // Softmax: PER_ROW lanes a row. Rows that lie in the same banks begin at different columns.
    let masked = block < allSeeFrom || block + KEYS > allSeeBehind;
    var grows = false;
//@unroll o OWN_ROWS
    {
      let place = row$o * SCORE_PITCH;
      var highest = NOTHING;
      for (var c = 0u; c < KEYS / PER_ROW; c++) {
        let column = PER_ROW * ((c + row$o / 8u) % (KEYS / PER_ROW)) + lane % PER_ROW;
        let score = scores[place + column];
        highest = max(highest, select(score, NOTHING, masked && (block + column < from$o || block + column >= behind$o)));
      }
      for (var mask = 1u; mask < PER_ROW; mask *= 2u) { highest = max(highest, subgroupShuffleXor(highest, mask)); }
      let raised = select(maximum$o, highest, highest > maximum$o + LAG);
      grows = grows || (raised > maximum$o && maximum$o > NOTHING);
      let factor = exp(max(maximum$o - raised, -88.0));
      maximum$o = raised;
      sum$o *= factor;
      if (lane % PER_ROW == 0u) { factors[row$o] = factor; }
      for (var c = 0u; c < KEYS / PER_ROW; c++) {
        let column = PER_ROW * ((c + row$o / 8u) % (KEYS / PER_ROW)) + lane % PER_ROW;
        let hidden = masked && (block + column < from$o || block + column >= behind$o);
        let weight = select(exp(scores[place + column] - raised), 0.0, hidden);
        sum$o += weight;
        weights[row$o * WEIGHT_PITCH + column] = f16(weight);
      }
    }
//@end
    let any = subgroupAny(grows);
    if (lane == 0u) { grown[subgroup] = select(0u, 1u, any); }
    let grew = workgroupUniformLoad(&grown);
    var rescales = 0u;
//@unroll s SUBGROUPS
    rescales |= grew[$s];
//@end
    if (rescales > 0u) {
//@unroll c CHUNKS
//@unroll i ROW_FRAGMENTS
//@unroll n CHUNK_COLUMNS
      subgroupMatrixStore<row_major>(&scores, (firstRow + $iu * M) * SCORE_PITCH + $nu * N, mixed$i_$c_$n, SCORE_PITCH);
//@end
//@end
      workgroupBarrier();
//@unroll e OWN
      scores[(firstRow + ($eu * LANES + lane) / CHUNK) * SCORE_PITCH + ($eu * LANES + lane) % CHUNK] *= factors[firstRow + ($eu * LANES + lane) / CHUNK];
//@end
      workgroupBarrier();
//@unroll i ROW_FRAGMENTS
//@unroll n CHUNK_COLUMNS
      mixed$i_$c_$n = subgroupMatrixLoad<subgroup_matrix_result<f32, N, M>, row_major>(&scores, (firstRow + $iu * M) * SCORE_PITCH + $nu * N, SCORE_PITCH);
//@end
//@end
      workgroupBarrier();
//@end
    }

    // Values. Where sums are staged, they take the place of the scores, or of the weights.
//@unroll i ROW_FRAGMENTS
//@unroll k KEY_STEPS
    let weight$i_$k = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&weights, (firstRow + $iu * M) * WEIGHT_PITCH + $ku * K, WEIGHT_PITCH);
//@end
//@end
//@unroll c CHUNKS
//@unroll n CHUNK_COLUMNS
//@unroll k KEY_STEPS
    {
      let value = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, row_major>(&tile, KEYS_AT / 4u + (KEYS + $ku * K) * PITCH + ($cu * CHUNK + $nu * N) / 4u, PITCH);
//@unroll i ROW_FRAGMENTS
      mixed$i_$c_$n = subgroupMatrixMultiplyAccumulate(weight$i_$k, value, mixed$i_$c_$n);
//@end
    }
//@end
//@end
//@end
    workgroupBarrier();
  }

  // The sums of all blocks, by what they weigh together; with PARTIAL, what the split holds already is one key more.
//@unroll o OWN_ROWS
  {
    for (var mask = 1u; mask < PER_ROW; mask *= 2u) { sum$o += subgroupShuffleXor(sum$o, mask); }
    let own = select(NOTHING, maximum$o + log(sum$o), sum$o > 0.0);
    let query = firstQuery + row$o;
    if (lane % PER_ROW == 0u) {
      factors[row$o] = select(0.0, 1.0 / sum$o, sum$o > 0.0);
//@if PARTIAL
      if (query <= lastQuery) {
        let before = select(NOTHING, logSumExps[splitBase + head$o], part.continued > 0u);
        let highest = max(before, own);
        let ownShare = select(0.0, exp(max(own - highest, -88.0)), own > NOTHING);
        let beforeShare = select(0.0, exp(max(before - highest, -88.0)), before > NOTHING);
        let total = ownShare + beforeShare;
        logSumExps[splitBase + head$o] = select(NOTHING, highest + log(total), total > 0.0);
        factors[row$o] *= select(0.0, ownShare / total, total > 0.0);
        kept[row$o] = select(0.0, beforeShare / total, total > 0.0);
      }
//@else
      if (query <= lastQuery && workgroups.z > 1u) { logSumExps[splitBase + head$o] = own; }
//@end
    }
  }
//@end
  workgroupBarrier();
//@unroll c CHUNKS
//@unroll i ROW_FRAGMENTS
//@unroll n CHUNK_COLUMNS
  subgroupMatrixStore<row_major>(&scores, (firstRow + $iu * M) * SCORE_PITCH + $nu * N, mixed$i_$c_$n, SCORE_PITCH);
//@end
//@end
  workgroupBarrier();
//@unroll e OWN
  {
    let row = firstRow + ($eu * LANES + lane) / CHUNK;
    let column = ($eu * LANES + lane) % CHUNK;
    let query = firstQuery + row;
    if (query <= lastQuery) {
      let place = headOf(query, kvHead, group) * DIMS + $cu * CHUNK + column;
      let mixture = factors[row] * scores[row * SCORE_PITCH + column];
//@if PARTIAL
      // What is not kept may be anything.
      partials[splitBase * DIMS + place] = mixture + select(0.0, kept[row] * partials[splitBase * DIMS + place], kept[row] > 0.0);
//@else
      if (workgroups.z > 1u) { partials[splitBase * DIMS + place] = mixture; } else { output[place] = mixture; }
//@end
    }
  }
//@end
  workgroupBarrier();
//@end
}
