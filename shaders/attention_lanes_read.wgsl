// Attention of a tile of queries for software adapters, causally over a layer's cache or ring, or over stored vectors that
// every query sees: a workgroup is one subgroup, nothing crosses workgroup memory, and every key and value is loaded once
// by one lane, then handed round.
// The queries of one key-value head are numbered row·group + (head in its group), so a tile shares its
// keys although it may hold several heads of several rows.
// Shapes, bindings, CAUSAL, PARTIAL: those of attention_tiled.wgsl; without PARTIAL keys are not split, and 5 output is the
//   last binding.
// Mapping: workgroup x = tile of GROUPS·LANES queries, y = key-value head, z = split of the keys (PARTIAL). Scores: lane = query, and
//   GROUPS of them; sums of values: lane = unit of dimensions, LOADS of them for each query.
// The running maximum of a query only moves when it would be passed by more than 8: weights stay
//   below e^8, and the sums need to be rescaled only a few times in a long text. Exact either way.
// Queries and sums live in private arrays that are also indexed dynamically (the loops of a uniform
//   count at the beginning and the end): as loop-carried values they would exceed the registers by
//   far, and compiling would take minutes.
// Constants: LANES, GROUPS, KEYS a block, UNITS of a vector that hold dimensions, VECTOR_UNITS = units of a stored vector,
//   LOADS = ceil(UNITS / LANES), PARTS = vec4s a unit (2 for f16, 1 for others), FUSED (fma is one instruction),
//   EIGHT_BIT, and the capitals above.
// Reference: attend, attendRange in engine/reference/attention.ts. Texts: kv_load.wgsl or kv_load_eight_bit.wgsl,
//   attention_io.wgsl, multiply_add.wgsl.

// A query by (unit, part) with room up to a multiple of LANES units; a query's sums by (load, part).
const QUERY_VEC4S = LOADS * LANES * PARTS;
const SUM_VEC4S = LOADS * PARTS;
const SLACK = 8.0;

@compute @workgroup_size(LANES)
@diagnostic(off, subgroup_uniformity)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
//@if PARTIAL
  @builtin(num_workgroups) workgroups: vec3<u32>,
//@end
  @builtin(local_invocation_index) lane: u32,
) {
  let group = shape.heads / shape.kvHeads;
  let kvHead = workgroup.y;
  let firstQuery = workgroup.x * (GROUPS * LANES);
  let lastQuery = min(firstQuery + GROUPS * LANES, step.rows * group) - 1u;
  let cacheBase = kvHead * shape.capacitySlots;

  // Keys that any query of the tile sees, and of those the part of this split.
//@if CAUSAL
  let tileEnd = step.position + lastQuery / group + 1u;
  let seenBy = step.position + firstQuery / group + 1u;
  let tileBegin = select(step.sealed, seenBy - min(seenBy, shape.window), shape.window > 0u);
//@else
  let tileBegin = 0u;
  let tileEnd = part.keys;
//@end
//@if PARTIAL
  let splitKeys = (tileEnd - tileBegin + workgroups.z - 1u) / workgroups.z;
  let begin = min(tileEnd, tileBegin + workgroup.z * splitKeys);
  let end = min(tileEnd, begin + splitKeys);
  let splitBase = (part.firstSplit + workgroup.z) * step.rows * shape.heads;
//@else
  let begin = tileBegin;
  let end = tileEnd;
//@end

  var query: array<vec4<f32>, GROUPS * QUERY_VEC4S>;
  var mixed: array<vec4<f32>, GROUPS * LANES * SUM_VEC4S>;
  // Each lane's queries; the first key that each of them sees, and one behind the last.
//@unroll g GROUPS
  let mine$g = min(firstQuery + $gu * LANES + lane, lastQuery);
  let head$g = headOf(mine$g, kvHead, group);
//@if CAUSAL
  let position$g = step.position + mine$g / group;
  let oldest$g = select(begin, position$g + 1u - min(position$g + 1u, shape.window), shape.window > 0u);
  let behind$g = min(end, position$g + 1u);
//@else
  let oldest$g = begin;
  let behind$g = end;
//@end
  var maximum$g = LOWEST;
  var sum$g = 0.0;
  for (var i = 0u; i < shape.headVec4s; i++) { query[$gu * QUERY_VEC4S + i] = queries[head$g * (UNITS * PARTS) + i]; }
//@end
//@unroll j LOADS
  let unit$j = min($ju * LANES + lane, UNITS - 1u);
//@end

  var slot = begin % shape.capacitySlots;
  for (var block = begin; block < end; block += KEYS) {
//@unroll k KEYS
    let slot$k = slotAfter(slot, $ku);
//@unroll j LOADS
    let rawKey$k_$j = keys[(cacheBase + slot$k) * VECTOR_UNITS + unit$j];
    let rawValue$k_$j = values[(cacheBase + slot$k) * VECTOR_UNITS + unit$j];
//@end
//@if EIGHT_BIT
    let keyScale$k = bitcast<f32>(keys[(cacheBase + slot$k) * VECTOR_UNITS + UNITS]);
    let valueScale$k = bitcast<f32>(values[(cacheBase + slot$k) * VECTOR_UNITS + UNITS]);
//@end
//@end

    // Scores.
//@unroll k KEYS
//@unroll g GROUPS
    var s$k_$g = vec4<f32>();
//@end
//@unroll j LOADS
//@unroll h PARTS
    let k$k_$j_$h = widen$h(rawKey$k_$j);
//@unroll l LANES
    if ($ju * LANES + $lu < UNITS) {
      let key = subgroupBroadcast(k$k_$j_$h, $lu);
//@unroll g GROUPS
      s$k_$g = multiplyAdd(query[$gu * QUERY_VEC4S + ($ju * LANES + $lu) * PARTS + $hu], key, s$k_$g);
//@end
    }
//@end
//@end
//@end
//@unroll g GROUPS
    let seen$k_$g = block + $ku >= oldest$g && block + $ku < behind$g;
//@if EIGHT_BIT
    s$k_$g *= keyScale$k;
//@end
    let score$k_$g = select(NOTHING, (s$k_$g.x + s$k_$g.y) + (s$k_$g.z + s$k_$g.w), seen$k_$g);
//@end
//@end

    // Rescale what was summed when a score passes its maximum by too much.
    var passed = NOTHING;
//@unroll g GROUPS
    var highest$g = NOTHING;
//@unroll k KEYS
    highest$g = max(highest$g, score$k_$g);
//@end
    passed = max(passed, highest$g - maximum$g);
//@end
    if (subgroupAny(passed > SLACK)) {
//@unroll g GROUPS
      let raised$g = max(maximum$g, highest$g);
      let rescale$g = exp(maximum$g - raised$g);
      maximum$g = raised$g;
      sum$g *= rescale$g;
//@unroll l LANES
      {
        let factor = subgroupBroadcast(rescale$g, $lu);
//@unroll j LOADS
//@unroll h PARTS
        mixed[($gu * LANES + $lu) * SUM_VEC4S + $ju * PARTS + $hu] *= factor;
//@end
//@end
      }
//@end
//@end
    }

    // Weighted values.
//@unroll k KEYS
//@unroll g GROUPS
    let weight$k_$g = select(0.0, exp(score$k_$g - maximum$g), seen$k_$g);
    sum$g += weight$k_$g;
//@end
//@unroll j LOADS
//@unroll h PARTS
//@if EIGHT_BIT
    let v$k_$j_$h = valueScale$k * widen$h(rawValue$k_$j);
//@else
    let v$k_$j_$h = widen$h(rawValue$k_$j);
//@end
//@end
//@end
//@end
//@unroll g GROUPS
//@unroll l LANES
    {
//@unroll k KEYS
      let w$k = vec4<f32>(subgroupBroadcast(weight$k_$g, $lu));
//@end
//@unroll j LOADS
//@unroll h PARTS
      {
        var sum = mixed[($gu * LANES + $lu) * SUM_VEC4S + $ju * PARTS + $hu];
//@unroll k KEYS
        sum = multiplyAdd(w$k, v$k_$j_$h, sum);
//@end
        mixed[($gu * LANES + $lu) * SUM_VEC4S + $ju * PARTS + $hu] = sum;
      }
//@end
//@end
    }
//@end
//@end
    slot += KEYS;
    slot -= select(0u, shape.capacitySlots, slot >= shape.capacitySlots);
  }

  // SUM_VEC4S, but not known to the compiler, which would unroll the loops.
  let sums = (shape.headVec4s / PARTS + LANES - 1u) / LANES * PARTS;
//@unroll g GROUPS
//@if PARTIAL
  // The split's earlier keys join at the end: their mean value, with their log-sum-exp for a score.
  let earlier$g = select(NOTHING, logSumExps[splitBase + head$g], part.continued > 0u);
  let own$g = select(NOTHING, maximum$g + log(sum$g), sum$g > 0.0);
  let highest$g = max(earlier$g, own$g);
  let earlierWeight$g = select(0.0, exp(earlier$g - highest$g), earlier$g > NOTHING);
  let ownWeight$g = select(0.0, exp(own$g - highest$g), own$g > NOTHING);
  let weights$g = earlierWeight$g + ownWeight$g;
  let share$g = select(0.0, earlierWeight$g / weights$g, weights$g > 0.0);
  let scale$g = select(0.0, ownWeight$g / (weights$g * sum$g), sum$g > 0.0);
  if (firstQuery + $gu * LANES + lane <= lastQuery) { logSumExps[splitBase + head$g] = select(NOTHING, highest$g + log(weights$g), weights$g > 0.0); }
//@else
  let scale$g = 1.0 / sum$g;
//@end
  for (var l = 0u; l < min(LANES, lastQuery + 1u - min(lastQuery + 1u, firstQuery + $gu * LANES)); l++) {
    let scale = subgroupShuffle(scale$g, l);
    let head = subgroupShuffle(head$g, l);
//@if PARTIAL
    let share = subgroupShuffle(share$g, l);
//@end
    for (var i = 0u; i < sums; i++) {
      let unit = (i / PARTS) * LANES + lane;
      if (unit >= UNITS) { continue; }
      let own = mixed[($gu * LANES + l) * SUM_VEC4S + i] * scale;
//@if PARTIAL
      let place = ((splitBase + head) * UNITS + unit) * PARTS + i % PARTS;
      // What nobody has written yet may be anything.
      partials[place] = own + select(vec4<f32>(), share * partials[place], share > 0.0);
//@else
      output[(head * UNITS + unit) * PARTS + i % PARTS] = own;
//@end
    }
  }
//@end
}
