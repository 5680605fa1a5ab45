// Attention of a tile of queries over a range of keys, with online softmax in f32: causally over a
// layer's cache, or over a part of a layer's keys, to be merged with other parts afterwards.
// The queries of one key-value head are numbered row·group + (head in its group), so a tile of them
// shares its keys whether it comes from several rows (reading) or one (decoding).
// Shapes: queries, output [rows][heads][headDim] f32 (queries already scaled); keys, values
//   [kvHead][slot] vectors as kv_load.wgsl or kv_load_eight_bit.wgsl reads them; partials [split][rows·heads][headDim] f32;
//   logSumExps [split][rows·heads] f32; list [kvHead][listCapacity] slots, listCounts [kvHead];
//   weights [kvHead][slot] u32, how many keys a slot stands for.
// CAUSAL: slot = position % capacity; keys from step.sealed on, or the last `window` when it is > 0.
// Otherwise every query sees every key: slots 0 … part.keys, or those of `list` (LISTED); a slot may
//   weigh as much as several keys (WEIGHED).
// Bindings: 0 step, 1 shape, 2 queries, 3 keys, 4 values, then without PARTIAL 5 output, 6 partials,
//   7 logSumExps; with PARTIAL 5 partials, 6 logSumExps, 7 part, with LISTED 8 list, 9 listCounts,
//   with WEIGHED 8 weights.
// Mapping: workgroup x = tile of TILE queries, y = key-value head, z = split of the keys. Without
//   PARTIAL, a lone split writes the output and several write partials for attention_merge.wgsl. With
//   PARTIAL the splits write partials from part.firstSplit on, or add to them (part.continued). An
//   invocation is a key while scoring, then a (slice of keys, unit of four dimensions) while summing.
// Constants: HEAD_UNITS = headDim / 4, VECTOR_UNITS = units of a stored vector, TILE, SLICES =
//   64 / HEAD_UNITS, SLICED = SLICES > 1, and the capitals above.
// For GPUs, and for any adapter without subgroups. Reference: attend, attendRange in
//   engine/reference/attention.ts. Texts: kv_load.wgsl or kv_load_eight_bit.wgsl, attention_io.wgsl.

const KEYS = 64u;
const PARTS = 64u / TILE;  // invocations that share a row of scores

var<workgroup> tileQueries: array<vec4<f32>, TILE * HEAD_UNITS>;
var<workgroup> scores: array<f32, TILE * KEYS>;
var<workgroup> reduction: array<f32, 64>;
var<workgroup> rescales: array<f32, TILE>;
//@if SLICED
var<workgroup> stage: array<vec4<f32>, TILE * 64>;
//@end

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let group = shape.heads / shape.kvHeads;
  let kvHead = workgroup.y;
  let queryCount = step.rows * group;
  let firstQuery = workgroup.x * TILE;
  let lastQuery = min(firstQuery + TILE, queryCount) - 1u;
  let cacheBase = kvHead * shape.capacitySlots;

  // Keys that any query of the tile sees, and of those the part of this split.
//@if CAUSAL
  let tileEnd = step.position + lastQuery / group + 1u;
  let seenBy = step.position + firstQuery / group + 1u;
  let tileBegin = select(step.sealed, seenBy - min(seenBy, shape.window), shape.window > 0u);
//@else
  let tileBegin = 0u;
//@if LISTED
  let tileEnd = listCounts[kvHead];
//@else
  let tileEnd = part.keys;
//@end
//@end
  let splitKeys = (tileEnd - tileBegin + workgroups.z - 1u) / workgroups.z;
  let begin = min(tileEnd, tileBegin + workgroup.z * splitKeys);
  let end = min(tileEnd, begin + splitKeys);

  for (var i = invocation; i < TILE * HEAD_UNITS; i += 64u) {
    let head = headOf(min(firstQuery + i / HEAD_UNITS, lastQuery), kvHead, group);
    tileQueries[i] = queries[head * HEAD_UNITS + i % HEAD_UNITS];
  }

  let row = invocation / PARTS;
  let rowPart = invocation % PARTS;
  let rowPosition = step.position + min(firstQuery + row, lastQuery) / group;
  let unit = invocation % HEAD_UNITS;
  let slice = invocation / HEAD_UNITS;
  var maximum = NOTHING;
  var sum = 0.0;
//@unroll r TILE
  var mixed$r = vec4<f32>();
//@end
//@if PARTIAL
  let splitBase = (part.firstSplit + workgroup.z) * step.rows * shape.heads;
  // What a split holds counts as one key: its mean value, whose score is the log-sum-exp.
  if (part.continued > 0u) {
    maximum = logSumExps[splitBase + headOf(min(firstQuery + row, lastQuery), kvHead, group)];
    sum = select(0.0, 1.0, rowPart == 0u && maximum > NOTHING);
    if (slice == 0u) {
//@unroll r TILE
      mixed$r = partials[(splitBase + headOf(min(firstQuery + $ru, lastQuery), kvHead, group)) * HEAD_UNITS + unit];
//@end
    }
  }
//@else
  let splitBase = workgroup.z * step.rows * shape.heads;
//@end
  workgroupBarrier();

  for (var block = begin; block < end; block += KEYS) {
    // Scores: one key an invocation; keys past the end read the last one and are masked below.
    let slot = cacheBase + slotOf(min(block + invocation, end - 1u), kvHead);
    let key = slot * VECTOR_UNITS;
//@unroll r TILE
    var score$r = 0.0;
//@end
    for (var u = 0u; u < HEAD_UNITS; u++) {
      let k = widen0(keys[key + u]);
//@unroll r TILE
      score$r += dot(tileQueries[$ru * HEAD_UNITS + u], k);
//@end
    }
//@if EIGHT_BIT
    let keyScale = bitcast<f32>(keys[key + HEAD_UNITS]);
//@unroll r TILE
    score$r *= keyScale;
//@end
//@end
//@if WEIGHED
    let count = weights[slot];
//@unroll r TILE
    score$r = select(NOTHING, score$r + log(f32(count)), count > 0u);
//@end
//@end
//@unroll r TILE
    scores[$ru * KEYS + invocation] = score$r;
//@end
    workgroupBarrier();

    // Online softmax: PARTS invocations a row.
    var highest = NOTHING;
    for (var k = rowPart; k < KEYS; k += PARTS) {
      if (sees(rowPosition, block + k, end)) { highest = max(highest, scores[row * KEYS + k]); }
    }
    reduction[invocation] = highest;
    workgroupBarrier();
    let before = maximum;
    for (var p = 0u; p < PARTS; p++) { maximum = max(maximum, reduction[row * PARTS + p]); }
    let rescale = exp(max(before - maximum, -88.0));
    sum *= rescale;
    for (var k = rowPart; k < KEYS; k += PARTS) {
      var weight = 0.0;
      if (sees(rowPosition, block + k, end)) {
        let score = scores[row * KEYS + k];
//@if WEIGHED
        // Slots that stand for no key weigh nothing, even where there is nothing else.
        weight = select(0.0, exp(max(score - maximum, -88.0)), score > 0.5 * NOTHING);
//@else
        weight = exp(max(score - maximum, -88.0));
//@end
      }
      scores[row * KEYS + k] = weight;
      sum += weight;
    }
    if (rowPart == 0u) { rescales[row] = rescale; }
    workgroupBarrier();

    // Values: each slice of invocations sums its share of the block's keys.
//@unroll r TILE
    mixed$r *= rescales[$r];
//@end
    if (slice < SLICES) {
      let blockKeys = min(KEYS, end - block);
      for (var k = slice; k < blockKeys; k += SLICES) {
        let value = (cacheBase + slotOf(block + k, kvHead)) * VECTOR_UNITS;
//@if EIGHT_BIT
        let v = bitcast<f32>(values[value + HEAD_UNITS]) * widen0(values[value + unit]);
//@else
        let v = widen0(values[value + unit]);
//@end
//@unroll r TILE
        mixed$r += scores[$ru * KEYS + k] * v;
//@end
      }
    }
    workgroupBarrier();
  }

  reduction[invocation] = sum;
  workgroupBarrier();
  var total = 0.0;
  for (var p = 0u; p < PARTS; p++) { total += reduction[row * PARTS + p]; }
  workgroupBarrier();
  if (rowPart == 0u) {
    rescales[row] = select(0.0, 1.0 / total, total > 0.0);
    let query = firstQuery + row;
    if (query <= lastQuery && (PARTIAL || workgroups.z > 1u)) {
      logSumExps[splitBase + headOf(query, kvHead, group)] = select(NOTHING, maximum + log(total), total > 0.0);
    }
  }

  // Each slice has its sum over its own keys; slice 0 adds them up.
//@if SLICED
//@unroll r TILE
  stage[$ru * 64u + invocation] = mixed$r;
//@end
//@end
  workgroupBarrier();
  if (slice > 0u) { return; }
//@unroll r TILE
  if (firstQuery + $ru <= lastQuery) {
//@if SLICED
    for (var s = 1u; s < SLICES; s++) { mixed$r += stage[$ru * 64u + s * HEAD_UNITS + unit]; }
//@end
    let head = headOf(firstQuery + $ru, kvHead, group);
//@if PARTIAL
    partials[(splitBase + head) * HEAD_UNITS + unit] = mixed$r * rescales[$r];
//@else
    if (workgroups.z > 1u) {
      partials[(splitBase + head) * HEAD_UNITS + unit] = mixed$r * rescales[$r];
    } else {
      output[head * HEAD_UNITS + unit] = mixed$r * rescales[$r];
    }
//@end
  }
//@end
}
