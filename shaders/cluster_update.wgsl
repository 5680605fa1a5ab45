// Moves the centroids of a segment: each becomes the mean of its members' centred keys, scaled to length 1. An empty
// cluster keeps its vector. At the start each is the key in the middle of its stride of the tokens.
// Shapes, bindings: cluster_segment.wgsl and, without START, cluster_members.wgsl.
// Mapping: workgroup x = cluster, y = key-value head; invocations as in cluster_members.wgsl.
// Constants: START; those of cluster_segment.wgsl, cluster_members.wgsl, cluster_reduce.wgsl.
// Reference: clusterSegment, startToken in engine/reference/retrieval/clusters.ts.

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let cluster = workgroup.x;
  let kvHead = workgroup.y;
  let unit = invocation % HEAD_UNITS;
//@if START
  let excluded = excludedTokens();
  let count = 1u;
  let total = centredKey(kvHead, excluded + (2u * cluster + 1u) * (SEGMENT_TOKENS - excluded) / (2u * CLUSTERS), unit);
//@else
  let count = listMembers(kvHead, cluster, invocation);
  let slice = invocation / HEAD_UNITS;
  var sum = vec4<f32>();
  for (var i = slice; i < count; i += SLICES) { sum += centredKey(kvHead, members[i], unit); }
  let total = addSlices(sum, invocation);
//@end
  let squared = squaredLength(total, invocation);
  if (invocation < HEAD_UNITS && count > 0u) {
    scratch[scratchVector(kvHead, cluster) + unit] = total * select(0.0, inverseSqrt(squared), squared > 0.0);
  }
}
