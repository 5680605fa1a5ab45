// Attention of one row for software adapters: a workgroup is one subgroup and takes the query heads
// that share a key-value head, over a part of the keys.
// Shapes: those of attention_tiled.wgsl for rows = 1. Bindings: 0 step, 1 shape, 2 queries, 3 keys,
//   4 values, 5 output, 6 partials, 7 logSumExps.
// Mapping: workgroup x = split of the keys, y = key-value head, z = tile of HEADS of its query heads.
//   With one split the output is written; with more, partials for attention_merge.wgsl.
//   Scores: lane = key, so nothing is summed across lanes; values: lane = unit of dimensions.
// The running maximum moves as in attention_lanes_read.wgsl.
// Constants: LANES, HEADS, UNITS, LOADS, PARTS, FUSED as there; ONE_LOAD = LOADS is 1.
// Reference: attendRange in engine/reference/attention.ts. Texts: kv_load.wgsl, attention_io.wgsl,
//   multiply_add.wgsl.

const HEAD_VEC4S = LOADS * PARTS;
const SLACK = 8.0;

@compute @workgroup_size(LANES)
@diagnostic(off, subgroup_uniformity)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let kvHead = workgroup.y;
  let group = shape.heads / shape.kvHeads;
  let firstHead = kvHead * group + workgroup.z * HEADS;
  // The last tile may be short: it computes its last head again and does not write it.
  let lastHead = min(firstHead + HEADS, (kvHead + 1u) * group) - 1u;
  let cacheBase = kvHead * shape.capacitySlots;
  let seenEnd = step.position + 1u;
  let seenBegin = select(0u, seenEnd - min(seenEnd, shape.window), shape.window > 0u);
  let splitKeys = (seenEnd - seenBegin + workgroups.x - 1u) / workgroups.x;
  let begin = min(seenEnd, seenBegin + workgroup.x * splitKeys);
  let end = min(seenEnd, begin + splitKeys);

  // LOADS, but not known to the compiler, which would unroll the loops.
  let loads = (shape.headVec4s / PARTS + LANES - 1u) / LANES;
//@unroll j LOADS
  let unit$j = min($ju * LANES + lane, UNITS - 1u);
//@end
  var query: array<vec4<f32>, HEADS * HEAD_VEC4S>;
  var mixed: array<vec4<f32>, HEADS * HEAD_VEC4S>;
//@unroll n HEADS
  var maximum$n = LOWEST;
  var sum$n = 0.0;
  for (var i = 0u; i < loads * PARTS; i++) {
    let unit = min((i / PARTS) * LANES + lane, UNITS - 1u);
    query[$nu * HEAD_VEC4S + i] = queries[min(firstHead + $nu, lastHead) * (UNITS * PARTS) + unit * PARTS + i % PARTS];
  }
//@end

  var slot = begin % shape.capacitySlots;
  for (var block = begin; block < end; block += LANES) {
    // Scores of one key a lane.
    let key = (cacheBase + slotAfter(slot, lane)) * UNITS;
//@unroll n HEADS
    var s$n = vec4<f32>();
//@end
//@if ONE_LOAD
    {
      const j = 0u;
//@else
    for (var j = 0u; j < loads; j++) {
//@end
//@unroll h PARTS
//@unroll n HEADS
      let q$n_$h = select(vec4<f32>(), query[$nu * HEAD_VEC4S + j * PARTS + $hu], j * LANES + lane < UNITS);
//@end
//@end
//@unroll l LANES
      {
        let raw = keys[key + min(j * LANES + $lu, UNITS - 1u)];
//@unroll h PARTS
        let k$h = widen$h(raw);
//@unroll n HEADS
        s$n = multiplyAdd(subgroupBroadcast(q$n_$h, $lu), k$h, s$n);
//@end
//@end
      }
//@end
    }
    let seen = block + lane < end;
    var passed = NOTHING;
//@unroll n HEADS
    let score$n = select(NOTHING, (s$n.x + s$n.y) + (s$n.z + s$n.w), seen);
    passed = max(passed, score$n - maximum$n);
//@end
    if (subgroupAny(passed > SLACK)) {
//@unroll n HEADS
      let raised$n = max(maximum$n, subgroupMax(score$n));
      let rescale$n = exp(maximum$n - raised$n);
      maximum$n = raised$n;
      sum$n *= rescale$n;
//@unroll j LOADS
//@unroll h PARTS
      mixed[$nu * HEAD_VEC4S + $ju * PARTS + $hu] *= rescale$n;
//@end
//@end
//@end
    }
//@unroll n HEADS
    let weight$n = select(0.0, exp(score$n - maximum$n), seen);
    sum$n += weight$n;
//@end

    // Weighted values, one key after the other.
    for (var l = 0u; l < LANES; l += 4u) {
//@unroll k 4
      let slot$k = slotAfter(slot, l + $ku);
//@unroll n HEADS
      let w$k_$n = vec4<f32>(subgroupShuffle(weight$n, l + $ku));
//@end
//@end
//@unroll j LOADS
      {
//@unroll k 4
        let raw$k = values[(cacheBase + slot$k) * UNITS + unit$j];
//@end
//@unroll n HEADS
//@unroll h PARTS
        {
          var sum = mixed[$nu * HEAD_VEC4S + $ju * PARTS + $hu];
//@unroll k 4
          sum = multiplyAdd(w$k_$n, widen$h(raw$k), sum);
//@end
          mixed[$nu * HEAD_VEC4S + $ju * PARTS + $hu] = sum;
        }
//@end
//@end
      }
//@end
    }
    slot += LANES;
    slot -= select(0u, shape.capacitySlots, slot >= shape.capacitySlots);
  }

//@unroll n HEADS
  let total$n = subgroupAdd(sum$n);
  let scale$n = select(0.0, 1.0 / total$n, total$n > 0.0);
  for (var i = 0u; i < loads * PARTS; i++) {
    let unit = (i / PARTS) * LANES + lane;
    if (unit < UNITS && firstHead + $nu <= lastHead) {
      let index = (firstHead + $nu) * (UNITS * PARTS) + unit * PARTS + i % PARTS;
      let result = mixed[$nu * HEAD_VEC4S + i] * scale$n;
      if (workgroups.x > 1u) {
        partials[workgroup.x * shape.heads * (UNITS * PARTS) + index] = result;
      } else {
        output[index] = result;
      }
    }
  }
  if (workgroups.x > 1u && lane == 0u && firstHead + $nu <= lastHead) {
    logSumExps[workgroup.x * shape.heads + firstHead + $nu] = select(NOTHING, maximum$n + log(total$n), total$n > 0.0);
  }
//@end
}
