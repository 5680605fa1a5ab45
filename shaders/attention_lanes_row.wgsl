// Attention of one row for software adapters with few lanes: a workgroup is one subgroup and takes the query heads that share
// a key-value head, over a part of the keys. As attention_lanes_decode.wgsl, but scores and values have loops of their own,
// each nearly as large as an instruction cache, and queries are handed round once, before the keys.
// Shapes, bindings, mapping: those of attention_lanes_decode.wgsl.
// Constants: LANES, HEADS, UNITS, LOADS (few: each becomes a value), PARTS as there.
// Reference: attendRange in engine/reference/attention.ts. Texts: kv_load.wgsl, attention_io.wgsl.

// Blocks of LANES keys whose scores are kept, between two loops over them.
const SCORES = 64u;

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
  let keyCount = min(seenEnd, begin + splitKeys) - begin;
  let firstSlot = begin % shape.capacitySlots;

//@unroll j LOADS
  let unit$j = min($ju * LANES + lane, UNITS - 1u);
//@end
//@unroll n HEADS
  var maximum$n = LOWEST;
  var sum$n = 0.0;
  var scores$n: array<f32, SCORES>;
//@unroll j LOADS
//@unroll h PARTS
  var mixed$n_$j_$h = vec4<f32>();
  let own$n_$j_$h = select(vec4<f32>(), queries[(min(firstHead + $nu, lastHead) * UNITS + unit$j) * PARTS + $hu], $ju * LANES + lane < UNITS);
//@unroll l LANES
  let q$n_$j_$h_$l = subgroupBroadcast(own$n_$j_$h, $lu);
//@end
//@end
//@end
//@end
  let blocks = (keyCount + LANES - 1u) / LANES;
  for (var first = 0u; first < blocks; first += SCORES) {
    let count = min(SCORES, blocks - first);
//@unroll n HEADS
    var highest$n = NOTHING;
//@end
    // Scores of one key a lane.
    for (var i = 0u; i < count; i++) {
      let place = (first + i) * LANES + lane;
      let key = (cacheBase + slotAfter(firstSlot, place)) * UNITS;
//@unroll n HEADS
      var s$n = 0.0;
//@end
//@unroll j LOADS
//@unroll l LANES
      {
        let raw = keys[key + min($ju * LANES + $lu, UNITS - 1u)];
//@unroll h PARTS
        let k$h = widen$h(raw);
//@unroll n HEADS
        s$n += dot(k$h, q$n_$j_$h_$l);
//@end
//@end
      }
//@end
//@end
//@unroll n HEADS
      let score$n = select(NOTHING, s$n, place < keyCount);
      highest$n = max(highest$n, score$n);
      scores$n[i] = score$n;
//@end
    }
//@unroll n HEADS
    let raised$n = max(maximum$n, subgroupMax(highest$n));
    let rescale$n = exp(maximum$n - raised$n);
    maximum$n = raised$n;
    sum$n *= rescale$n;
//@unroll j LOADS
//@unroll h PARTS
    mixed$n_$j_$h *= rescale$n;
//@end
//@end
//@end
    // Weighted values, one unit of dimensions a lane.
    for (var i = 0u; i < count; i++) {
      let place = (first + i) * LANES;
//@unroll n HEADS
      let weight$n = select(0.0, exp(scores$n[i] - maximum$n), place + lane < keyCount);
      sum$n += weight$n;
//@end
//@unroll l LANES
      let value$l = (cacheBase + slotAfter(firstSlot, place + $lu)) * UNITS;
//@unroll n HEADS
      let w$l_$n = vec4<f32>(subgroupBroadcast(weight$n, $lu));
//@end
//@end
//@unroll j LOADS
//@unroll l LANES
      let raw$j_$l = values[value$l + unit$j];
//@end
//@unroll n HEADS
//@unroll h PARTS
      mixed$n_$j_$h +=
//@unroll l LANES
        w$l_$n * widen$h(raw$j_$l) +
//@end
        vec4<f32>();
//@end
//@end
//@end
    }
  }

//@unroll n HEADS
  let total$n = subgroupAdd(sum$n);
  let scale$n = select(0.0, 1.0 / total$n, total$n > 0.0);
//@unroll j LOADS
//@unroll h PARTS
  if ($ju * LANES + lane < UNITS && firstHead + $nu <= lastHead) {
    let index = ((firstHead + $nu) * UNITS + unit$j) * PARTS + $hu;
    let result = mixed$n_$j_$h * scale$n;
    if (workgroups.x > 1u) {
      partials[workgroup.x * shape.heads * (UNITS * PARTS) + index] = result;
    } else {
      output[index] = result;
    }
  }
//@end
//@end
  if (workgroups.x > 1u && lane == 0u && firstHead + $nu <= lastHead) {
    logSumExps[workgroup.x * shape.heads + firstHead + $nu] = select(NOTHING, maximum$n + log(total$n), total$n > 0.0);
  }
//@end
}
