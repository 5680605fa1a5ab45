// Where the weight of watched heads goes, in one pass over the keys: the log-sum-exp of each row's scores over each part of
// the positions, the latest keys apart from the older ones. A part's share is exp(its log-sum-exp − that of all parts).
// Shapes: parts [parts] of (begin, end, zone, 0); queries [capacityRows][watched of the layer][headDim] f32; keys [kvHead][slot]
//   vectors; sums [capacityRows][watched of all layers][parts] of (older, latest), -1e30 where a part has no key. Rows lie at position % capacityRows.
// Bindings: 0 batch, 1 parts, 2 queries, 3 keys, 4 sums.
// Mapping: workgroup x = 64 parts, an invocation each; y = four queries of the key-value head's watched ones.
// Constants: UNITS = headDim / 4; RECENT_TOKENS.
// Reference: partLogSums in engine/reference/watch.ts. Texts: kv_load.wgsl, watch_batch.wgsl.

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> parts: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> sums: array<vec2<f32>>;

// A sum is scaled anew when a score is so much above what it is relative to.
const SLACK = 8.0;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let part = workgroup.x * 64u + invocation;
  let firstQuery = workgroup.y * 4u;
  let lastQuery = batch.rows * batch.groupHeads - 1u;
  if (part >= batch.parts || firstQuery > lastQuery) { return; }
//@unroll r 4
  let query$r = min(firstQuery + $ru, lastQuery);
  let position$r = batch.position + query$r / batch.groupHeads;
  let row$r = position$r % batch.capacityRows;
  let head$r = batch.groupFirst + query$r % batch.groupHeads;
  let vector$r = (row$r * batch.layerHeads + head$r) * UNITS;
//@end
  let positions = vec4<u32>(position0, position1, position2, position3);
  let firsts = vec4<u32>(firstSeen(position0), firstSeen(position1), firstSeen(position2), firstSeen(position3));

  var highest = vec4<f32>(NOTHING);
  var older = vec4<f32>();
  var latest = vec4<f32>();
  let end = min(parts[part].y, batch.position + batch.rows);
  for (var key = max(parts[part].x, firstSeen(batch.position)); key < end; key++) {
    let vector = (batch.kvHead * batch.capacitySlots + key % batch.capacitySlots) * UNITS;
    var scores = vec4<f32>();
    for (var u = 0u; u < UNITS; u++) {
      let k = widen0(keys[vector + u]);
      scores += vec4<f32>(dot(queries[vector0 + u], k), dot(queries[vector1 + u], k), dot(queries[vector2 + u], k), dot(queries[vector3 + u], k));
    }
    let seen = (vec4<u32>(key) <= positions) & (vec4<u32>(key) >= firsts);
    scores = select(vec4<f32>(NOTHING), scores, seen);
    if (any(scores > highest + SLACK)) {
      let raised = max(highest, scores);
      let scale = exp(max(highest - raised, vec4<f32>(-88.0)));
      older *= scale;
      latest *= scale;
      highest = raised;
    }
    let weights = select(vec4<f32>(), exp(clamp(scores - highest, vec4<f32>(-88.0), vec4<f32>(SLACK))), seen);
    let isLatest = vec4<u32>(key + RECENT_TOKENS) > positions;
    older += select(weights, vec4<f32>(), isLatest);
    latest += select(vec4<f32>(), weights, isLatest);
  }
//@unroll r 4
  if (firstQuery + $ru <= lastQuery) {
    let found = vec2<f32>(older[$r], latest[$r]);
    sums[(row$r * batch.heads + batch.firstHead + head$r) * batch.parts + part] = select(vec2<f32>(NOTHING), highest[$r] + log(found), found > vec2<f32>());
  }
//@end
}
