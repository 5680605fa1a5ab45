// The log-sum-exp of each kept query's scores over all keys that it sees, which makes its weights exact: the keys of
// one range after the other, each joined to what the ranges before it gave.
// Shapes: queries [rows][heads][headDim] f32, scaled; keys [kvHead][slot] vectors; logSums [rows][heads] f32, -1e30
//   where no key was seen yet; with SPLIT [split][rows][heads], of each run of the range's keys, which inspect_join.wgsl
//   joins.
//   chosen as in inspect_tile.wgsl: of other heads what is there is anything.
// Bindings: 0 range (inspect_range.wgsl), 1 queries, 2 keys, 3 chosen, 4 logSums.
// Mapping: workgroup x = four queries of the chosen heads, y = key-value head, z = run of the keys, over which its 64
//   invocations stride, KEYS of them at once.
// Constants: UNITS = headDim / 4; VECTOR_UNITS = units of a stored vector; KEYS; EIGHT_BIT; SPLIT.
// Reference: rowLogSums in engine/reference/inspect.ts.

@group(0) @binding(0) var<uniform> range: Range;
@group(0) @binding(1) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(3) var<storage, read> chosen: array<u32>;
@group(0) @binding(4) var<storage, read_write> logSums: array<f32>;

const INVOCATIONS = 64u;

var<workgroup> maxima: array<vec4<f32>, INVOCATIONS>;
var<workgroup> sums: array<vec4<f32>, INVOCATIONS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let kvHead = workgroup.y;
  let count = chosen[kvHead];
  let list = range.kvHeads + kvHead * range.heads;
  let firstQuery = workgroup.x * 4u;
  if (firstQuery >= range.rows * count) { return; }
  let lastQuery = range.rows * count - 1u;
//@unroll r 4
  let query$r = min(firstQuery + $ru, lastQuery);
  let head$r = (query$r / count) * range.heads + chosen[list + query$r % count];
  let position$r = range.position + query$r / count;
//@end
  let positions = vec4<u32>(position0, position1, position2, position3);
  let firsts = vec4<u32>(firstSeen(position0), firstSeen(position1), firstSeen(position2), firstSeen(position3));

  var maximum = vec4<f32>(NOTHING);
  var sum = vec4<f32>();
  let run = runOf(workgroup.z, workgroups.z);
  for (var first = run.x + invocation; first < run.y; first += KEYS * INVOCATIONS) {
//@unroll j KEYS
    let key$j = first + $ju * INVOCATIONS;
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
//@if EIGHT_BIT
      scores$j *= bitcast<f32>(keys[vector$j + UNITS]);
//@end
      let seen = (vec4<u32>(key$j) <= positions) & (vec4<u32>(key$j) >= firsts) & vec4<bool>(key$j < run.y);
      let scores = select(vec4<f32>(NOTHING), scores$j, seen);
      let highest = max(maximum, scores);
      sum = sum * exp(max(maximum - highest, vec4<f32>(-88.0))) + select(vec4<f32>(), exp(max(scores - highest, vec4<f32>(-88.0))), seen);
      maximum = highest;
    }
//@end
  }

  maxima[invocation] = maximum;
  sums[invocation] = sum;
  workgroupBarrier();
//@unroll r 4
  if (invocation == $ru && firstQuery + $ru <= lastQuery) {
//@if SPLIT
    let place = workgroup.z * range.rows * range.heads + head$r;
    let before = NOTHING;
//@else
    let place = head$r;
    let before = logSums[place];
//@end
    var highest = before;
    for (var i = 0u; i < INVOCATIONS; i++) { highest = max(highest, maxima[i][$r]); }
    var total = select(0.0, exp(max(before - highest, -88.0)), before > 0.5 * NOTHING);
    for (var i = 0u; i < INVOCATIONS; i++) { total += sums[i][$r] * exp(max(maxima[i][$r] - highest, -88.0)); }
    logSums[place] = select(NOTHING, highest + log(total), total > 0.0);
  }
//@end
}
