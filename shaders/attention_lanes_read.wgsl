// Causal attention of a tile of queries, for software adapters: a workgroup is one subgroup, nothing
// crosses workgroup memory, and every key and value is loaded once by one lane, then handed round.
// The queries of one key-value head are numbered row·group + (head in its group), so a tile shares its
// keys although it may hold several heads of several rows.
// Shapes and bindings: those of attention_tiled.wgsl, without partials: 0 step, 1 shape, 2 queries,
//   3 keys, 4 values, 5 output.
// Mapping: workgroup x = tile of GROUPS·LANES queries, y = key-value head. Scores: lane = query, and
//   GROUPS of them; sums of values: lane = unit of dimensions, LOADS of them for each query.
// The running maximum of a query only moves when it would be passed by more than 8: weights stay
//   below e^8, and the sums need to be rescaled only a few times in a long text. Exact either way.
// Queries and sums live in private arrays that are also indexed dynamically (the loops of a uniform
//   count at the beginning and the end): as loop-carried values they would exceed the registers by
//   far, and compiling would take minutes.
// Constants: LANES, GROUPS, KEYS a block, UNITS of a head's vector in storage, LOADS = ceil(UNITS /
//   LANES), PARTS = vec4s a unit (2 for f16, 1 for f32), FUSED (fma is one instruction).
// Reference: attend in engine/reference/attention.ts.

struct Step { rows: u32, position: u32 }
struct Shape { heads: u32, kvHeads: u32, capacitySlots: u32, window: u32, headVec4s: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(4) var<storage, read> values: array<KvUnit>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>;

// A query by (unit, part) with room up to a multiple of LANES units; a query's sums by (load, part).
const QUERY_VEC4S = LOADS * LANES * PARTS;
const SUM_VEC4S = LOADS * PARTS;
const MASKED = -1e30;
// Below every score and above MASKED.
const LOWEST = -1e20;
const SLACK = 8.0;

@compute @workgroup_size(LANES)
@diagnostic(off, subgroup_uniformity)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let group = shape.heads / shape.kvHeads;
  let kvHead = workgroup.y;
  let firstQuery = workgroup.x * (GROUPS * LANES);
  let lastQuery = min(firstQuery + GROUPS * LANES, step.rows * group) - 1u;
  let cacheBase = kvHead * shape.capacitySlots;
  let end = step.position + lastQuery / group + 1u;
  let seenBy = step.position + firstQuery / group + 1u;
  let begin = select(0u, seenBy - min(seenBy, shape.window), shape.window > 0u);

  var query: array<vec4<f32>, GROUPS * QUERY_VEC4S>;
  var mixed: array<vec4<f32>, GROUPS * LANES * SUM_VEC4S>;
  // Each lane's queries, and the first and last key that each of them sees.
//@unroll g GROUPS
  let mine$g = min(firstQuery + $gu * LANES + lane, lastQuery);
  let position$g = step.position + mine$g / group;
  let oldest$g = select(0u, position$g + 1u - min(position$g + 1u, shape.window), shape.window > 0u);
  let vector$g = ((mine$g / group) * shape.heads + kvHead * group + mine$g % group) * (UNITS * PARTS);
  var maximum$g = LOWEST;
  var sum$g = 0.0;
  for (var i = 0u; i < shape.headVec4s; i++) { query[$gu * QUERY_VEC4S + i] = queries[vector$g + i]; }
//@end
//@unroll j LOADS
  let unit$j = min($ju * LANES + lane, UNITS - 1u);
//@end

  var slot = begin % shape.capacitySlots;
  for (var block = begin; block < end; block += KEYS) {
//@unroll k KEYS
    let slot$k = min(slot + $ku - select(0u, shape.capacitySlots, slot + $ku >= shape.capacitySlots), shape.capacitySlots - 1u);
//@unroll j LOADS
    let rawKey$k_$j = keys[(cacheBase + slot$k) * UNITS + unit$j];
    let rawValue$k_$j = values[(cacheBase + slot$k) * UNITS + unit$j];
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
    let seen$k_$g = block + $ku >= oldest$g && block + $ku <= position$g;
    let score$k_$g = select(MASKED, (s$k_$g.x + s$k_$g.y) + (s$k_$g.z + s$k_$g.w), seen$k_$g);
//@end
//@end

    // Rescale what was summed when a score passes its maximum by too much.
    var passed = MASKED;
//@unroll g GROUPS
    var highest$g = MASKED;
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
    let v$k_$j_$h = widen$h(rawValue$k_$j);
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

//@unroll g GROUPS
  let scale$g = 1.0 / sum$g;
  for (var l = 0u; l < min(LANES, lastQuery + 1u - min(lastQuery + 1u, firstQuery + $gu * LANES)); l++) {
    let scale = subgroupShuffle(scale$g, l);
    let vector = subgroupShuffle(vector$g, l);
//@unroll j LOADS
    if ($ju * LANES + lane < UNITS) {
//@unroll h PARTS
      output[vector + ($ju * LANES + lane) * PARTS + $hu] = mixed[($gu * LANES + l) * SUM_VEC4S + $ju * PARTS + $hu] * scale;
//@end
    }
//@end
  }
//@end
}
