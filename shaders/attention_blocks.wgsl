// Attention of many queries over a range of keys, with online softmax in f32: causally over a layer's ring, or over
// stored vectors that every query sees; the result is merged with other parts. Keys and values of a block are
// widened once into workgroup memory, and every invocation computes 4 × COLUMNS scores, then sums for 4 queries.
// The queries of one key-value head are numbered row·group + (head in its group).
// Shapes: those of attention_tiled.wgsl with PARTIAL.
// Bindings: 0 step, 1 shape, 2 queries, 3 keys, 4 values, 5 partials, 6 logSumExps, 7 part.
// CAUSAL: slot = position % capacity, keys from step.sealed on. Otherwise slots 0 … part.keys.
// Mapping: workgroup x = tile of 64 queries, y = key-value head, z = split of the keys. Invocation = (group of four
//   queries, lane): while scoring a lane is every eighth key of the block, while summing every eighth unit of four
//   dimensions.
// Constants: UNITS = headDim / 4, a multiple of 8; LANE_UNITS = UNITS / 8; VECTOR_UNITS = units of a stored vector;
//   COLUMNS = keys of a block / 8; CAUSAL; EIGHT_BIT.
// Reference: attendRange in engine/reference/attention.ts. Texts: kv_load.wgsl or kv_load_eight_bit.wgsl, attention_io.wgsl.

const INVOCATIONS = 128u;
const LANES = 8u;
const GROUPS = 16u;
const QUERIES = 64u;
const KEYS = LANES * COLUMNS;
// One unit more than a vector has, so that neighbouring vectors lie in different banks.
const PADDED = UNITS + 1u;

// Query 4·group + r lies in row r·GROUPS + group: what the groups read together lies together.
var<workgroup> tileQueries: array<vec4<f32>, QUERIES * PADDED>;
var<workgroup> tileKeys: array<vec4<f32>, KEYS * PADDED>;
var<workgroup> tileValues: array<vec4<f32>, KEYS * UNITS>;
// [key][group]: the weights of a group's four queries.
var<workgroup> weights: array<vec4<f32>, KEYS * GROUPS>;
var<workgroup> reduction: array<vec4<f32>, INVOCATIONS>;

@compute @workgroup_size(128)
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
//@if CAUSAL
  let tileBegin = step.sealed;
  let tileEnd = step.position + lastQuery / group + 1u;
//@else
  let tileBegin = 0u;
  let tileEnd = part.keys;
//@end
  let splitKeys = (tileEnd - tileBegin + workgroups.z - 1u) / workgroups.z;
  let begin = min(tileEnd, tileBegin + workgroup.z * splitKeys);
  let end = min(tileEnd, begin + splitKeys);
  let splitBase = (part.firstSplit + workgroup.z) * step.rows * shape.heads;

  for (var i = invocation; i < QUERIES * UNITS; i += INVOCATIONS) {
    let query = i / UNITS;
    let head = headOf(min(firstQuery + query, lastQuery), kvHead, group);
    tileQueries[((query % 4u) * GROUPS + query / 4u) * PADDED + i % UNITS] = queries[head * UNITS + i % UNITS];
  }

  let four = invocation / LANES;
  let lane = invocation % LANES;
  var maximum = vec4<f32>(NOTHING);
  var sum = vec4<f32>();
//@unroll r 4
  let head$r = splitBase + headOf(min(firstQuery + 4u * four + $ru, lastQuery), kvHead, group);
  // One behind the last key that the query sees.
//@if CAUSAL
  let behind$r = min(end, step.position + min(firstQuery + 4u * four + $ru, lastQuery) / group + 1u);
//@else
  let behind$r = end;
//@end
//@unroll u LANE_UNITS
  var mixed$r_$u = vec4<f32>();
//@end
//@end
  // What a split holds counts as one key: its mean value, whose score is the log-sum-exp.
  if (part.continued > 0u) {
//@unroll r 4
    maximum[$r] = logSumExps[head$r];
//@unroll u LANE_UNITS
    mixed$r_$u = partials[head$r * UNITS + $uu * LANES + lane];
//@end
//@end
    sum = select(vec4<f32>(), vec4<f32>(1.0), (maximum > vec4<f32>(NOTHING)) & vec4<bool>(lane == 0u));
  }

  for (var block = begin; block < end; block += KEYS) {
    // Keys past the end are the last one again, and masked below.
    for (var i = invocation; i < KEYS * UNITS; i += INVOCATIONS) {
      let key = i / UNITS;
      let unit = i % UNITS;
      let vector = (cacheBase + min(block + key, end - 1u) % shape.capacitySlots) * VECTOR_UNITS;
//@if EIGHT_BIT
      tileKeys[key * PADDED + unit] = bitcast<f32>(keys[vector + UNITS]) * widen0(keys[vector + unit]);
      tileValues[i] = bitcast<f32>(values[vector + UNITS]) * widen0(values[vector + unit]);
//@else
      tileKeys[key * PADDED + unit] = widen0(keys[vector + unit]);
      tileValues[i] = widen0(values[vector + unit]);
//@end
    }
    workgroupBarrier();

//@unroll c COLUMNS
    var scores$c = vec4<f32>();
//@end
    for (var u = 0u; u < UNITS; u++) {
//@unroll r 4
      let q$r = tileQueries[($ru * GROUPS + four) * PADDED + u];
//@end
//@unroll c COLUMNS
      let k$c = tileKeys[($cu * LANES + lane) * PADDED + u];
      scores$c += vec4<f32>(dot(q0, k$c), dot(q1, k$c), dot(q2, k$c), dot(q3, k$c));
//@end
    }
    let behind = vec4<u32>(behind0, behind1, behind2, behind3);
    var highest = vec4<f32>(NOTHING);
//@unroll c COLUMNS
    scores$c = select(vec4<f32>(NOTHING), scores$c, vec4<u32>(block + $cu * LANES + lane) < behind);
    highest = max(highest, scores$c);
//@end
    reduction[invocation] = highest;
    workgroupBarrier();
    let before = maximum;
    for (var l = 0u; l < LANES; l++) { maximum = max(maximum, reduction[four * LANES + l]); }
    let rescale = exp(max(before - maximum, vec4<f32>(-88.0)));
    sum *= rescale;
//@unroll c COLUMNS
    let weight$c = select(vec4<f32>(), exp(max(scores$c - maximum, vec4<f32>(-88.0))), scores$c > vec4<f32>(0.5 * NOTHING));
    sum += weight$c;
    weights[($cu * LANES + lane) * GROUPS + four] = weight$c;
//@end
//@unroll r 4
//@unroll u LANE_UNITS
    mixed$r_$u *= rescale[$r];
//@end
//@end
    workgroupBarrier();

    for (var k = 0u; k < KEYS; k++) {
      let weight = weights[k * GROUPS + four];
//@unroll u LANE_UNITS
      let v$u = tileValues[k * UNITS + $uu * LANES + lane];
//@unroll r 4
      mixed$r_$u += weight[$r] * v$u;
//@end
//@end
    }
    workgroupBarrier();
  }

  reduction[invocation] = sum;
  workgroupBarrier();
  var total = vec4<f32>();
  for (var l = 0u; l < LANES; l++) { total += reduction[four * LANES + l]; }
  let scale = select(vec4<f32>(), 1.0 / total, total > vec4<f32>());
//@unroll r 4
  if (firstQuery + 4u * four + $ru <= lastQuery) {
    if (lane == 0u) { logSumExps[head$r] = select(NOTHING, maximum[$r] + log(total[$r]), total[$r] > 0.0); }
//@unroll u LANE_UNITS
    partials[head$r * UNITS + $uu * LANES + lane] = mixed$r_$u * scale[$r];
//@end
  }
//@end
}
