// Attention of many queries for software adapters with few lanes, causally over a layer's cache or ring: a workgroup is one
// subgroup. A span of keys is loaded once, outside of a loop over the queries that scores them, and a span of values outside of
// another that mixes them, so that either loop fits an instruction cache, which the one of attention_lanes_read.wgsl does not.
// The queries of one key-value head are numbered row·group + (head in its group), so a tile shares its
// keys although it may hold several heads of several rows.
// Shapes and bindings: those of attention_tiled.wgsl without PARTIAL; 5 output is the last binding.
// Mapping: workgroup x = tile of QUERIES queries, y = key-value head. Scores: lane = key, KEYS of them, handed on in private
//   arrays; sums of values: lane = unit of dimensions, LOADS of them for each query.
// Constants: LANES, QUERIES, KEYS of a lane, UNITS of a vector, LOADS = ceil(UNITS / LANES), PARTS = vec4s a unit (2 for f16,
//   1 for f32).
// Reference: attend in engine/reference/attention.ts. Texts: kv_load.wgsl, attention_io.wgsl.

const SPAN = KEYS * LANES;
// A query's sums by (load, part).
const SUM_VEC4S = LOADS * PARTS;

@compute @workgroup_size(LANES)
@diagnostic(off, subgroup_uniformity)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = shape.heads / shape.kvHeads;
  let kvHead = workgroup.y;
  let firstQuery = workgroup.x * QUERIES;
  let count = min(QUERIES, step.rows * group - firstQuery);
  let lastQuery = firstQuery + count - 1u;
  let cacheBase = kvHead * shape.capacitySlots;
  let end = step.position + lastQuery / group + 1u;
  let seenBy = step.position + firstQuery / group + 1u;
  let begin = select(step.sealed, seenBy - min(seenBy, shape.window), shape.window > 0u);
  let firstSlot = begin % shape.capacitySlots;

  var scores: array<f32, QUERIES * KEYS>;
  var maxima: array<f32, QUERIES>;
  var sums: array<f32, QUERIES>;
  var mixed: array<vec4<f32>, QUERIES * SUM_VEC4S>;
  for (var q = 0u; q < count; q++) { maxima[q] = LOWEST; }
//@unroll j LOADS
  let unit$j = min($ju * LANES + lane, UNITS - 1u);
//@end
  for (var first = begin; first < end; first += SPAN) {
//@unroll k KEYS
    let key$k = (cacheBase + slotAfter(firstSlot, first - begin + $ku * LANES + lane)) * UNITS;
//@unroll j LOADS
//@unroll l LANES
    let raw_key$k_$j_$l = keys[key$k + min($ju * LANES + $lu, UNITS - 1u)];
//@unroll h PARTS
    let key$k_$j_$l_$h = widen$h(raw_key$k_$j_$l);
//@end
//@end
//@end
//@end
    // Scores of KEYS keys a lane.
    for (var q = 0u; q < count; q++) {
      let head = headOf(firstQuery + q, kvHead, group);
      let position = step.position + (firstQuery + q) / group;
      let oldest = select(begin, position + 1u - min(position + 1u, shape.window), shape.window > 0u);
//@unroll j LOADS
//@unroll h PARTS
      let own$j_$h = select(vec4<f32>(), queries[(head * UNITS + unit$j) * PARTS + $hu], $ju * LANES + lane < UNITS);
//@end
//@end
//@unroll k KEYS
      var s$k = 0.0;
//@end
//@unroll j LOADS
//@unroll l LANES
      {
//@unroll h PARTS
        let part$h = subgroupBroadcast(own$j_$h, $lu);
//@unroll k KEYS
        s$k += dot(part$h, key$k_$j_$l_$h);
//@end
//@end
      }
//@end
//@end
//@unroll k KEYS
      let place$k = first + $ku * LANES + lane;
      scores[q * KEYS + $ku] = select(NOTHING, s$k, place$k >= oldest && place$k <= position);
//@end
    }
//@unroll k KEYS
//@unroll l LANES
    let place$k_$l = (cacheBase + slotAfter(firstSlot, first - begin + $ku * LANES + $lu)) * UNITS;
//@unroll j LOADS
    let raw_value$k_$l_$j = values[place$k_$l + unit$j];
//@unroll h PARTS
    let value$k_$l_$j_$h = widen$h(raw_value$k_$l_$j);
//@end
//@end
//@end
//@end
    // Weighted values of the span's keys.
    for (var q = 0u; q < count; q++) {
//@unroll k KEYS
      let score$k = scores[q * KEYS + $ku];
//@end
      var highest = score0;
//@unroll k KEYS
      highest = max(highest, score$k);
//@end
      let before = maxima[q];
      let raised = max(before, subgroupMax(highest));
      let rescale = exp(before - raised);
      maxima[q] = raised;
      var total = sums[q] * rescale;
//@unroll j LOADS
//@unroll h PARTS
      var mix$j_$h = mixed[q * SUM_VEC4S + $ju * PARTS + $hu] * rescale;
//@end
//@end
//@unroll k KEYS
      let weight$k = exp(score$k - raised);
      total += weight$k;
//@unroll l LANES
      let w$k_$l = subgroupBroadcast(weight$k, $lu);
//@end
//@end
//@unroll j LOADS
//@unroll h PARTS
      mixed[q * SUM_VEC4S + $ju * PARTS + $hu] = mix$j_$h
//@unroll k KEYS
//@unroll l LANES
        + w$k_$l * value$k_$l_$j_$h
//@end
//@end
      ;
//@end
//@end
      sums[q] = total;
    }
  }
  for (var q = 0u; q < count; q++) {
    let scale = 1.0 / subgroupAdd(sums[q]);
    let head = headOf(firstQuery + q, kvHead, group);
//@unroll j LOADS
//@unroll h PARTS
    if ($ju * LANES + lane < UNITS) { output[(head * UNITS + unit$j) * PARTS + $hu] = mixed[q * SUM_VEC4S + $ju * PARTS + $hu] * scale; }
//@end
//@end
  }
}
