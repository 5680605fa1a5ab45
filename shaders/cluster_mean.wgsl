// The mean of each segment's keys without the sinks.
// Shapes, bindings and further constants: cluster_segment.wgsl; the mean is a row of `scratch`.
// Mapping: workgroup x = four units of four dimensions, y = key-value head, z = segment; an invocation is a (slice of
//   the tokens, unit). With INVOCATIONS = 4 there is one slice.
// Constants: INVOCATIONS, a power of two. Reference: meanOf in engine/reference/retrieval/clusters.ts.

const UNITS_AT_ONCE = 4u;

var<workgroup> sums: array<vec4<f32>, INVOCATIONS>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let kvHead = workgroup.y;
  begin(workgroup.z);
  let unit = workgroup.x * UNITS_AT_ONCE + invocation % UNITS_AT_ONCE;
  var sum = vec4<f32>();
  for (var token = excludedTokens() + invocation / UNITS_AT_ONCE; token < shape.segmentTokens; token += INVOCATIONS / UNITS_AT_ONCE) {
    sum += widen0(keys[ringVector(kvHead, token) + unit]);
  }
  sums[invocation] = sum;
  for (var half = INVOCATIONS / 2u; half >= UNITS_AT_ONCE; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { sums[invocation] += sums[invocation + half]; }
  }
  if (invocation < UNITS_AT_ONCE) {
    scratch[scratchMean(kvHead) + unit] = sums[invocation] / f32(shape.segmentTokens - excludedTokens());
  }
}
