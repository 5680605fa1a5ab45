// Moves the centroids of a segment to the mean of their members' centred keys; cluster_normalise.wgsl follows, but
// for the LAST round, which also takes the mean of the members' values and counts them. An empty cluster keeps its
// vector and has the value 0. At the START a centroid is the key in the middle of its stride of the tokens.
// Shapes: those of cluster_segment.wgsl; tokenWords [kvHead][capacityTokens] u32, the cluster in the high 16 bits;
//   values as keys; counts [kvHead][capacityTokens / CLUSTER_TOKENS] u32.
// Bindings: those of cluster_segment.wgsl, without START 4 tokenWords, with LAST 5 values, 6 counts.
// Mapping: an invocation per (cluster, unit of four dimensions); y = key-value head, z = segment. Members are added in ascending
//   order, so that the same keys give the same bits.
// Constants: START, LAST, those of cluster_segment.wgsl.
// Reference: clusterSegment, startToken in engine/reference/retrieval/clusters.ts.

//@if !START
@group(0) @binding(4) var<storage, read> tokenWords: array<vec4<u32>>;
//@if LAST
@group(0) @binding(5) var<storage, read> values: array<KvUnit>;
@group(0) @binding(6) var<storage, read_write> counts: array<u32>;
//@end
//@end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let cluster = id.x / shape.headUnits;
  let unit = id.x % shape.headUnits;
  let kvHead = id.y;
  begin(id.z);
  if (cluster >= clustersPerSegment()) { return; }
//@if START
  let excluded = excludedTokens();
  let token = excluded + (2u * cluster + 1u) * (shape.segmentTokens - excluded) / (2u * clustersPerSegment());
  scratch[scratchVector(kvHead, 0u, cluster) + unit] = centredKey(kvHead, token, unit);
//@else
  let firstWord = (kvHead * shape.capacityTokens + segmentIndex * shape.segmentTokens) / 4u;
  var count = 0u;
  var sum = vec4<f32>();
//@if LAST
  var valueSum = vec4<f32>();
//@end
  for (var block = 0u; block < shape.segmentTokens; block += 32u) {
    var members = 0u;
    for (var four = 0u; four < 8u; four++) {
      let isMember = (tokenWords[firstWord + block / 4u + four] >> vec4<u32>(16u)) == vec4<u32>(cluster);
      members |= dot(select(vec4<u32>(), vec4<u32>(1u, 2u, 4u, 8u), isMember), vec4<u32>(1u)) << (4u * four);
    }
    count += countOneBits(members);
    while (members != 0u) {
      let token = block + firstTrailingBit(members);
      members &= members - 1u;
      sum += centredKey(kvHead, token, unit);
//@if LAST
      valueSum += widen0(values[ringVector(kvHead, token) + unit]);
//@end
    }
  }
  let mean = sum / f32(max(count, 1u));
//@if LAST
  let centred = select(scratch[scratchVector(kvHead, 0u, cluster) + unit], mean, count > 0u);
  scratch[scratchVector(kvHead, 1u, cluster) + unit] = centred + scratch[scratchMean(kvHead) + unit];
  scratch[scratchVector(kvHead, 2u, cluster) + unit] = valueSum / f32(max(count, 1u));
  if (unit == 0u) { counts[kvHead * (shape.capacityTokens / CLUSTER_TOKENS) + segmentIndex * clustersPerSegment() + cluster] = count; }
//@else
  if (count > 0u) { scratch[scratchVector(kvHead, 0u, cluster) + unit] = mean; }
//@end
//@end
}
