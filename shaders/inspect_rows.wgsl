// Where the weight of each kept query goes, in a few numbers: to the first tokens, to the latest, to the token before
// itself, to a document and to the rest; how spread it is, and the largest weight within the document. The keys of one
// range after the other, each added to what the ranges before it gave.
// Shapes: queries, keys, logSums as in inspect_log_sums.wgsl; statistics [rows][heads] of two vec4<f32>: (sinks, recent,
//   previous, document), (other, entropy in nats, peak in the document, its position). Sinks, recent, document and other
//   add up to 1; previous is part of recent. The document begins behind the sinks and ends before the recent. With SPLIT
//   [split][rows][heads], of each run of the range's keys, which inspect_join.wgsl joins.
// Bindings: 0 range (inspect_range.wgsl; fromKey … toKey is the document), 1 queries, 2 keys, 3 logSums, 4 statistics.
// Mapping: that of inspect_log_sums.wgsl, with all heads.
// Constants: UNITS, VECTOR_UNITS, KEYS, EIGHT_BIT, SPLIT as there; SINK_TOKENS, RECENT_TOKENS.
// Reference: rowStatistics in engine/reference/inspect.ts.

@group(0) @binding(0) var<uniform> range: Range;
@group(0) @binding(1) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(3) var<storage, read> logSums: array<f32>;
@group(0) @binding(4) var<storage, read_write> statistics: array<vec4<f32>>;

const INVOCATIONS = 64u;

var<workgroup> zones: array<vec4<f32>, INVOCATIONS>;
var<workgroup> others: array<vec4<f32>, INVOCATIONS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let group = range.heads / range.kvHeads;
  let kvHead = workgroup.y;
  let firstQuery = workgroup.x * 4u;
  let lastQuery = range.rows * group - 1u;
//@unroll r 4
  let query$r = min(firstQuery + $ru, lastQuery);
  let head$r = (query$r / group) * range.heads + kvHead * group + query$r % group;
  let position$r = range.position + query$r / group;
  let first$r = firstSeen(position$r);
  let logSum$r = logSums[head$r];
  var zones$r = vec4<f32>();
  // (other, entropy, peak, its position)
  var others$r = vec4<f32>();
//@end

  let run = runOf(workgroup.z, workgroups.z);
  for (var nearest = run.x + invocation; nearest < run.y; nearest += KEYS * INVOCATIONS) {
//@unroll j KEYS
    let key$j = nearest + $ju * INVOCATIONS;
    let vector$j = vectorOf(kvHead, min(key$j, run.y - 1u));
    var scores$j = vec4<f32>();
//@end
    for (var u = 0u; u < UNITS; u++) {
//@unroll r 4
      let of$r = queries[head$r * UNITS + u];
//@end
//@unroll j KEYS
      let k$j = widen0(keys[vector$j + u]);
      scores$j += vec4<f32>(dot(of0, k$j), dot(of1, k$j), dot(of2, k$j), dot(of3, k$j));
//@end
    }
//@unroll j KEYS
    {
      let key = key$j;
//@if EIGHT_BIT
      scores$j *= bitcast<f32>(keys[vector$j + UNITS]);
//@end
//@unroll r 4
      {
        let surprise = clamp(logSum$r - scores$j[$r], 0.0, 88.0);
        // Without branches, of which && is one: SwiftShader's compiler does not come to an end with so many of them.
        let weight = select(0.0, exp(-surprise), (key <= position$r) & (key >= first$r) & (key < run.y));
        let isSink = key < SINK_TOKENS;
        let isRecent = !isSink & (key + RECENT_TOKENS > position$r);
        let isDocument = !isSink & !isRecent & (key >= range.fromKey) & (key < range.toKey);
        zones$r += weight * vec4<f32>(f32(isSink), f32(isRecent), f32(isRecent & (key + 1u == position$r)), f32(isDocument));
        others$r.x += select(weight, 0.0, isSink | isRecent | isDocument);
        others$r.y += weight * surprise;
        let isPeak = isDocument & (weight > others$r.z);
        others$r = vec4<f32>(others$r.xy, select(others$r.zw, vec2<f32>(weight, f32(key)), isPeak));
      }
//@end
    }
//@end
  }

//@unroll r 4
  zones[invocation] = zones$r;
  others[invocation] = others$r;
  workgroupBarrier();
  if (invocation == 0u && firstQuery + $ru <= lastQuery) {
//@if SPLIT
    let place = 2u * (workgroup.z * range.rows * range.heads + head$r);
    var zone = vec4<f32>();
    var other = vec4<f32>();
//@else
    let place = 2u * head$r;
    var zone = statistics[place];
    var other = statistics[place + 1u];
//@end
    for (var i = 0u; i < INVOCATIONS; i++) {
      zone += zones[i];
      let more = others[i];
      other = vec4<f32>(other.xy + more.xy, select(other.zw, more.zw, more.z > other.z));
    }
    statistics[place] = zone;
    statistics[place + 1u] = other;
  }
  workgroupBarrier();
//@end
}
