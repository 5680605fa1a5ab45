// Ends the clustering of a segment: stores each cluster's mean key, mean value and count. An empty cluster keeps the
// vector that it had and has the value 0.
// Shapes: values as keys; centroids, valueMeans [kvHead][capacityTokens / 16][HEAD_UNITS + 1] u32: four signed
//   integers a word (value = integer · scale), then the f32 scale; counts [kvHead][capacityTokens / 16] u32.
// Bindings: those of cluster_segment.wgsl and cluster_members.wgsl, then 5 values, 6 centroids, 7 valueMeans, 8 counts.
// Mapping: workgroup x = cluster, y = key-value head; invocations as in cluster_members.wgsl.
// Constants: those of cluster_segment.wgsl, cluster_members.wgsl, cluster_reduce.wgsl.
// Reference: clusterSegment in engine/reference/retrieval/clusters.ts; readEightBit in eightBit.ts beside it.

@group(0) @binding(5) var<storage, read> values: array<KvUnit>;
@group(0) @binding(6) var<storage, read_write> centroids: array<u32>;
@group(0) @binding(7) var<storage, read_write> valueMeans: array<u32>;
@group(0) @binding(8) var<storage, read_write> counts: array<u32>;

/// Four integers of largest magnitude 127, little end first.
fn eightBits(x: vec4<f32>, scale: f32) -> u32 {
  let whole = vec4<i32>(clamp(round(x * select(0.0, 1.0 / scale, scale > 0.0)), vec4<f32>(-127.0), vec4<f32>(127.0)));
  let bytes = vec4<u32>(whole & vec4<i32>(255)) << vec4<u32>(0u, 8u, 16u, 24u);
  return bytes.x | bytes.y | bytes.z | bytes.w;
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let cluster = workgroup.x;
  let kvHead = workgroup.y;
  let unit = invocation % HEAD_UNITS;
  let count = listMembers(kvHead, cluster, invocation);
  var keySum = vec4<f32>();
  var valueSum = vec4<f32>();
  for (var i = invocation / HEAD_UNITS; i < count; i += SLICES) {
    keySum += centredKey(kvHead, members[i], unit);
    valueSum += widen0(values[ringVector(kvHead, members[i]) + unit]);
  }
  let share = select(0.0, 1.0 / f32(count), count > 0u);
  let kept = scratch[scratchVector(kvHead, cluster) + unit];
  let centred = select(kept, addSlices(keySum, invocation) * share, count > 0u);
  let centroid = centred + scratch[scratchVector(kvHead, CLUSTERS) + unit];
  let valueMean = addSlices(valueSum, invocation) * share;
  let centroidScale = largestMagnitude(centroid, invocation) / 127.0;
  let valueScale = largestMagnitude(valueMean, invocation) / 127.0;

  let index = kvHead * (shape.capacityTokens / 16u) + segment.index * CLUSTERS + cluster;
  let record = index * (HEAD_UNITS + 1u);
  if (invocation < HEAD_UNITS) {
    centroids[record + unit] = eightBits(centroid, centroidScale);
    valueMeans[record + unit] = eightBits(valueMean, valueScale);
  }
  if (invocation == 0u) {
    centroids[record + HEAD_UNITS] = bitcast<u32>(centroidScale);
    valueMeans[record + HEAD_UNITS] = bitcast<u32>(valueScale);
    counts[index] = count;
  }
}
