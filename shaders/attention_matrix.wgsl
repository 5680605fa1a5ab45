// Flash attention by subgroup matrices (tensor cores): many queries over a range of keys, with online softmax in f32.
// Each subgroup has ROWS queries. A block of keys is multiplied with them into scores, whose weights go back through
// workgroup memory as halves and multiply the block's values.
// The queries of one key-value head are numbered row·group + (head in its group).
// Shapes, bindings, CAUSAL, PARTIAL: those of attention_tiled.wgsl; queries, keys, values and weights are rounded to halves.
// Keys and values are staged in workgroup memory, from whatever kv_load.wgsl or kv_load_eight_bit.wgsl reads. Fragments
// keep the sums of all blocks; they are only rescaled when a maximum has grown by more than LAG, so that weights reach
// at most 2^LAG. Scores are in bits: queries are multiplied by log2(e), so that weights are powers of two.
// What may be done in several ways, of which each adapter measures the fastest:
//   PREFETCH: what is staged next is loaded into registers before the block under way is multiplied.
//   LATE: values are multiplied together with the keys of the block after them, so that between two barriers there are
//     either products alone, or softmax and staging; the barriers of staging then order scores and weights as well.
// Barriers also order what only one subgroup writes and reads: nothing promises that its lanes run in step.
// KEEP_QUERIES in fragments, where they fit the registers; else they are loaded from workgroup memory for every block.
// Mapping: workgroup x = tile of SUBGROUPS · ROWS queries, y = key-value head, z = split of the keys.
// Constants: M, N, K (the shape of a fragment), LANES, SUBGROUPS, ROW_FRAGMENTS, ROWS = M · ROW_FRAGMENTS, DIMS of a
//   head, KEYS of a block, CHUNK = output dimensions that are staged at once (divides DIMS, at most KEYS), QUERY_CHUNK =
//   dimensions of queries that are staged at once (divides DIMS, at most 2 · KEYS), QUERY_CHUNKS and QUERY_CHUNK_STEPS of
//   K in one, DIM_STEPS = DIMS / K, KEY_COLUMNS = KEYS / N, KEY_STEPS = KEYS / K, CHUNKS = DIMS / CHUNK, CHUNK_COLUMNS =
//   CHUNK / N, OWN = ROWS · CHUNK / 4 / LANES, PER_ROW lanes that share a row of scores, OWN_ROWS of a lane (one of both
//   is 1), EIGHTS = KEYS / 8 / PER_ROW, PIECES = eights of keys that an invocation stages (UNEVEN: some fewer),
//   VECTOR_UNITS, and the capitals above.
// Reference: attendRange in engine/reference/attention.ts, to the precision of halves.
// Texts: kv_load.wgsl (WIDE) or kv_load_eight_bit.wgsl, attention_io.wgsl, attention_halves.wgsl. Alias: Mixed = vec4<f32>.

const THREADS = SUBGROUPS * LANES;
const QUERIES = SUBGROUPS * ROWS;
// Workgroup memory is counted in 16 bytes: eight halves or four floats. A row has one more than it needs, so that
// neighbouring rows lie in different banks.
const PITCH = UNITS + 1u;
const SCORE_PITCH = KEYS / 4u + 1u;
const WEIGHT_PITCH = KEYS / 8u + 1u;
const LAG = 11.0;
const LN_2 = 0.6931471805599453;

// A block's keys, then values.
var<workgroup> staged: array<vec4<u32>, 2u * KEYS * PITCH>;
const VALUES_AT = KEYS * PITCH;
// Scores of a block; between blocks what else a subgroup passes among its lanes, in floats or halves.
var<workgroup> scores: array<vec4<u32>, QUERIES * SCORE_PITCH>;
var<workgroup> weights: array<vec4<u32>, QUERIES * WEIGHT_PITCH>;
//@if !KEEP_QUERIES
var<workgroup> tileQueries: array<vec4<u32>, QUERIES * PITCH>;
//@end
// What each row's sums are multiplied by: at a block, then at the end.
var<workgroup> factors: array<f32, QUERIES>;
var<workgroup> grown: array<u32, SUBGROUPS>;
//@if PARTIAL
// The share of what the split held before.
var<workgroup> kept: array<f32, QUERIES>;
//@end

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

//@if KEEP_QUERIES
//@unroll q QUERY_CHUNKS
  for (var i = lane; i < ROWS * QUERY_CHUNK / 8u; i += LANES) {
    let row = firstRow + i / (QUERY_CHUNK / 8u);
    let unit = i % (QUERY_CHUNK / 8u);
    scores[row * SCORE_PITCH + unit] = queryHalves(headOf(min(firstQuery + row, lastQuery), kvHead, group), $qu * QUERY_CHUNK / 8u + unit);
  }
  workgroupBarrier();
//@unroll i ROW_FRAGMENTS
//@unroll d QUERY_CHUNK_STEPS
  let query$i_$[ $q * QUERY_CHUNK_STEPS + $d ] = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&scores, (firstRow + $iu * M) * SCORE_PITCH + $du * K / 8u, SCORE_PITCH);
//@end
//@end
  workgroupBarrier();
//@end
//@else
  for (var i = invocation; i < QUERIES * UNITS; i += THREADS) {
    tileQueries[(i / UNITS) * PITCH + i % UNITS] = queryHalves(headOf(min(firstQuery + i / UNITS, lastQuery), kvHead, group), i % UNITS);
  }
  workgroupBarrier();
//@end

  // A lane's rows, and its part of each, while it scores: lanes side by side have different rows, which lie in different banks.
  let rowPart = lane / ROWS;
//@unroll o OWN_ROWS
  let row$o = firstRow + (lane + $ou * LANES) % ROWS;
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

  // What an invocation stages; where there are no keys at all, it reads some that are masked.
  let stagedEnd = max(end, 1u);
//@unroll p PIECES
  let key_of$p = (invocation + $pu * THREADS) / UNITS;
  let unit_of$p = (invocation + $pu * THREADS) % UNITS;
  let staged_at$p = key_of$p * PITCH + unit_of$p;
//@if LATE
  if (!UNEVEN || key_of$p < KEYS) { staged[staged_at$p] = keyHalves(cacheBase + blockSlot(splitBegin, key_of$p, begin, stagedEnd), unit_of$p); }
//@else
//@if PREFETCH
  var nextKeys$p = keyHalves(cacheBase + blockSlot(splitBegin, key_of$p, begin, stagedEnd), unit_of$p);
  var nextValues$p = valueHalves(cacheBase + blockSlot(splitBegin, key_of$p, begin, stagedEnd), unit_of$p);
//@end
//@end
//@end
//@if LATE
  workgroupBarrier();
//@end

  for (var block = splitBegin; ; block += KEYS) {
//@if LATE
//@if PREFETCH
//@unroll p PIECES
    let nextKeys$p = keyHalves(cacheBase + blockSlot(block + KEYS, key_of$p, begin, stagedEnd), unit_of$p);
    let nextValues$p = valueHalves(cacheBase + blockSlot(block, key_of$p, begin, stagedEnd), unit_of$p);
//@end
//@end
//@end
    // Values of the block before. Asking all subgroups is also the barrier behind its weights and what was staged.
    if (block > splitBegin) {
      let grew = workgroupUniformLoad(&grown);
      var rescales = 0u;
//@unroll s SUBGROUPS
      rescales |= grew[$s];
//@end
      if (rescales > 0u) {
//@unroll c CHUNKS
//@unroll i ROW_FRAGMENTS
//@unroll n CHUNK_COLUMNS
        subgroupMatrixStore<row_major>(&scores, (firstRow + $iu * M) * SCORE_PITCH + $nu * N / 4u, mixed$i_$c_$n, SCORE_PITCH);
//@end
//@end
        workgroupBarrier();
//@unroll e OWN
        {
          let row = firstRow + ($eu * LANES + lane) / (CHUNK / 4u);
          let place = row * SCORE_PITCH + ($eu * LANES + lane) % (CHUNK / 4u);
          scores[place] = bitcast<vec4<u32>>(factors[row] * bitcast<vec4<f32>>(scores[place]));
        }
//@end
        workgroupBarrier();
//@unroll i ROW_FRAGMENTS
//@unroll n CHUNK_COLUMNS
        mixed$i_$c_$n = subgroupMatrixLoad<subgroup_matrix_result<f32, N, M>, row_major>(&scores, (firstRow + $iu * M) * SCORE_PITCH + $nu * N / 4u, SCORE_PITCH);
//@end
//@end
        workgroupBarrier();
//@end
      }
//@unroll i ROW_FRAGMENTS
//@unroll k KEY_STEPS
      let weight$i_$k = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&weights, (firstRow + $iu * M) * WEIGHT_PITCH + $ku * K / 8u, WEIGHT_PITCH);
//@end
//@end
//@unroll c CHUNKS
//@unroll n CHUNK_COLUMNS
//@unroll k KEY_STEPS
      {
        let value = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, row_major>(&staged, VALUES_AT + $ku * K * PITCH + ($cu * CHUNK + $nu * N) / 8u, PITCH);
//@unroll i ROW_FRAGMENTS
        mixed$i_$c_$n = subgroupMatrixMultiplyAccumulate(weight$i_$k, value, mixed$i_$c_$n);
//@end
      }
//@end
//@end
//@end
    }
    if (block >= end) { break; }

//@if !LATE
    workgroupBarrier();
//@unroll p PIECES
    if (!UNEVEN || key_of$p < KEYS) {
//@if PREFETCH
      staged[staged_at$p] = nextKeys$p;
      staged[VALUES_AT + staged_at$p] = nextValues$p;
//@else
      let slot = cacheBase + blockSlot(block, key_of$p, begin, end);
      staged[staged_at$p] = keyHalves(slot, unit_of$p);
      staged[VALUES_AT + staged_at$p] = valueHalves(slot, unit_of$p);
//@end
    }
//@end
    workgroupBarrier();
//@if PREFETCH
//@unroll p PIECES
    nextKeys$p = keyHalves(cacheBase + blockSlot(block + KEYS, key_of$p, begin, end), unit_of$p);
    nextValues$p = valueHalves(cacheBase + blockSlot(block + KEYS, key_of$p, begin, end), unit_of$p);
//@end
//@end
//@end

    // Scores.
    {
//@unroll i ROW_FRAGMENTS
//@unroll j KEY_COLUMNS
      // Declared without a value it keeps that of the block before: compilers zero it once.
      var score$i_$j = subgroup_matrix_result<f32, N, M>();
//@end
//@end
//@unroll d DIM_STEPS
      {
//@if !KEEP_QUERIES
//@unroll i ROW_FRAGMENTS
        let query$i_$d = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&tileQueries, (firstRow + $iu * M) * PITCH + $du * K / 8u, PITCH);
//@end
//@end
//@unroll j KEY_COLUMNS
        let key$j = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, col_major>(&staged, $ju * N * PITCH + $du * K / 8u, PITCH);
//@unroll i ROW_FRAGMENTS
        score$i_$j = subgroupMatrixMultiplyAccumulate(query$i_$d, key$j, score$i_$j);
//@end
//@end
      }
//@end
//@unroll i ROW_FRAGMENTS
//@unroll j KEY_COLUMNS
      subgroupMatrixStore<row_major>(&scores, (firstRow + $iu * M) * SCORE_PITCH + $ju * N / 4u, score$i_$j, SCORE_PITCH);
//@end
//@end
    }
//@if LATE
    workgroupBarrier();
//@unroll p PIECES
    if (!UNEVEN || key_of$p < KEYS) {
//@if PREFETCH
      staged[staged_at$p] = nextKeys$p;
      staged[VALUES_AT + staged_at$p] = nextValues$p;
//@else
      staged[staged_at$p] = keyHalves(cacheBase + blockSlot(block + KEYS, key_of$p, begin, end), unit_of$p);
      staged[VALUES_AT + staged_at$p] = valueHalves(cacheBase + blockSlot(block, key_of$p, begin, end), unit_of$p);
//@end
    }
//@end
//@else
    workgroupBarrier();
//@end

    // Softmax: PER_ROW lanes a row.
    let masked = block < allSeeFrom || block + KEYS > allSeeBehind;
    // Whether a maximum has grown, so that sums have to be rescaled.
    var grows = false;
//@unroll o OWN_ROWS
//@unroll e EIGHTS
    var scoreA$o_$e = bitcast<vec4<f32>>(scores[row$o * SCORE_PITCH + ($eu * PER_ROW + rowPart) * 2u]);
    var scoreB$o_$e = bitcast<vec4<f32>>(scores[row$o * SCORE_PITCH + ($eu * PER_ROW + rowPart) * 2u + 1u]);
//@end
    if (masked) {
//@unroll e EIGHTS
      {
        let keyA = vec4<u32>(block + ($eu * PER_ROW + rowPart) * 8u) + vec4<u32>(0u, 1u, 2u, 3u);
        let keyB = keyA + vec4<u32>(4u);
        scoreA$o_$e = select(scoreA$o_$e, vec4<f32>(NOTHING), (keyA < vec4<u32>(from$o)) | (keyA >= vec4<u32>(behind$o)));
        scoreB$o_$e = select(scoreB$o_$e, vec4<f32>(NOTHING), (keyB < vec4<u32>(from$o)) | (keyB >= vec4<u32>(behind$o)));
      }
//@end
    }
    var highest_of$o = vec4<f32>(NOTHING);
//@unroll e EIGHTS
    highest_of$o = max(highest_of$o, max(scoreA$o_$e, scoreB$o_$e));
//@end
    var highest$o = max(max(highest_of$o.x, highest_of$o.y), max(highest_of$o.z, highest_of$o.w));
    for (var mask = u32(ROWS); mask < LANES; mask *= 2u) { highest$o = max(highest$o, subgroupShuffleXor(highest$o, mask)); }
    let raised$o = select(maximum$o, highest$o, highest$o > maximum$o + LAG);
    grows = grows || (raised$o > maximum$o && maximum$o > NOTHING);
    let factor$o = exp2(max(maximum$o - raised$o, -126.0));
    maximum$o = raised$o;
    if (rowPart == 0u) { factors[row$o] = factor$o; }
//@end
    let any = subgroupAny(grows);
    if (lane == 0u) { grown[subgroup] = select(0u, 1u, any); }
//@unroll o OWN_ROWS
    {
      // Rows that have seen nothing yet weigh nothing, too.
      let base = vec4<f32>(max(maximum$o, 0.5 * NOTHING));
      var sums = vec4<f32>();
//@unroll e EIGHTS
      {
        let weightA = exp2(scoreA$o_$e - base);
        let weightB = exp2(scoreB$o_$e - base);
        sums += weightA + weightB;
        let packed = vec4<u32>(pack2x16float(weightA.xy), pack2x16float(weightA.zw), pack2x16float(weightB.xy), pack2x16float(weightB.zw));
        weights[row$o * WEIGHT_PITCH + $eu * PER_ROW + rowPart] = packed;
      }
//@end
      sum$o = factor$o * sum$o + (sums.x + sums.y) + (sums.z + sums.w);
    }
//@end
  }

  // The sums of all blocks, by what they weigh together; with PARTIAL, what the split holds already is one key more.
//@unroll o OWN_ROWS
  {
    for (var mask = u32(ROWS); mask < LANES; mask *= 2u) { sum$o += subgroupShuffleXor(sum$o, mask); }
    let seen = maximum$o > NOTHING;
    let own = select(NOTHING, LN_2 * (maximum$o + log2(sum$o)), seen);
    let query = firstQuery + row$o;
    if (rowPart == 0u) {
      factors[row$o] = select(0.0, 1.0 / sum$o, seen);
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
  subgroupMatrixStore<row_major>(&scores, (firstRow + $iu * M) * SCORE_PITCH + $nu * N / 4u, mixed$i_$c_$n, SCORE_PITCH);
//@end
//@end
  workgroupBarrier();
//@unroll e OWN
  {
    let row = firstRow + ($eu * LANES + lane) / (CHUNK / 4u);
    let unit = ($eu * LANES + lane) % (CHUNK / 4u);
    let query = firstQuery + row;
    if (query <= lastQuery) {
      let place = (headOf(query, kvHead, group) * DIMS + $cu * CHUNK) / 4u + unit;
      let mixture = factors[row] * bitcast<vec4<f32>>(scores[row * SCORE_PITCH + unit]);
//@if PARTIAL
      // What is not kept may be anything.
      let old = splitBase * DIMS / 4u + place;
      partials[old] = mixture + select(vec4<f32>(), kept[row] * partials[old], kept[row] > 0.0);
//@else
      if (workgroups.z > 1u) { partials[splitBase * DIMS / 4u + place] = mixture; } else { output[place] = mixture; }
//@end
    }
  }
//@end
  workgroupBarrier();
//@end
}
