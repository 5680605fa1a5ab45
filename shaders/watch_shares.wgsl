// From the log-sum-exps of parts to shares: of each watched head the weight by zones, and of the heads together the weight
// on each part, each head counted by a factor.
// Shapes: parts and sums as in watch_parts.wgsl, zone 0: first tokens, 1: documents, 2: the rest; factors [heads] f32; shares
//   [capacityRows][parts] f32; zones [capacityRows][heads] of (first tokens, latest, documents, rest), together 1.
// Bindings: 0 batch, 1 parts, 2 factors, 3 sums, 4 shares, 5 zones.
// Mapping: workgroup x = row; its 64 invocations stride over the parts.
// Reference: watchedShares in engine/reference/watch.ts. Texts: watch_batch.wgsl.

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> parts: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> factors: array<f32>;
@group(0) @binding(3) var<storage, read> sums: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> shares: array<f32>;
@group(0) @binding(5) var<storage, read_write> zones: array<vec4<f32>>;

const INVOCATIONS = 64u;

var<workgroup> maxima: array<f32, INVOCATIONS>;
var<workgroup> totals: array<vec4<f32>, INVOCATIONS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = (batch.position + workgroup.x) % batch.capacityRows;
  for (var part = invocation; part < batch.parts; part += INVOCATIONS) { shares[row * batch.parts + part] = 0.0; }
  for (var head = 0u; head < batch.heads; head++) {
    let first = (row * batch.heads + head) * batch.parts;
    var highest = NOTHING;
    for (var part = invocation; part < batch.parts; part += INVOCATIONS) { highest = max(highest, max(sums[first + part].x, sums[first + part].y)); }
    maxima[invocation] = highest;
    workgroupBarrier();
    for (var i = 0u; i < INVOCATIONS; i++) { highest = max(highest, maxima[i]); }
    var total = vec4<f32>();
    for (var part = invocation; part < batch.parts; part += INVOCATIONS) {
      let weight = weightOf(first + part, highest);
      let zone = parts[part].z;
      total += select(select(vec4<f32>(0.0, weight.y, 0.0, weight.x), vec4<f32>(0.0, weight.y, weight.x, 0.0), zone == 1u), vec4<f32>(weight.x + weight.y, 0.0, 0.0, 0.0), zone == 0u);
    }
    totals[invocation] = total;
    workgroupBarrier();
    var whole = vec4<f32>();
    for (var i = 0u; i < INVOCATIONS; i++) { whole += totals[i]; }
    let scale = 1.0 / (whole.x + whole.y + whole.z + whole.w);
    for (var part = invocation; part < batch.parts; part += INVOCATIONS) {
      let weight = weightOf(first + part, highest);
      shares[row * batch.parts + part] += factors[head] * scale * (weight.x + weight.y);
    }
    if (invocation == 0u) { zones[row * batch.heads + head] = whole * scale; }
    workgroupBarrier();
  }
}

fn weightOf(place: u32, highest: f32) -> vec2<f32> {
  return select(vec2<f32>(), exp(max(sums[place] - vec2<f32>(highest), vec2<f32>(-88.0))), sums[place] > vec2<f32>(0.5 * NOTHING));
}
