// Assigns each token of a segment to the centroid of largest inner product with its centred key; of equals the
// first wins. Sinks are assigned to NO_CLUSTER.
// Shapes: those of cluster_segment.wgsl, and tokenWords [kvHead][capacityTokens] u32: the high 16 bits become the
//   cluster within the segment, the low 16 stay.
// Bindings: those of cluster_segment.wgsl, then 4 tokenWords.
// Mapping: workgroup x = 64 / PARTS tokens, y = key-value head, z = segment; PARTS invocations share a token, each with its part
//   of the centroids, of which it takes TILE at once. One part needs no barrier.
// Constants: those of cluster_segment.wgsl; PARTS, SPLIT = PARTS > 1, TILE, which divides the clusters of a part.
// Reference: nearest in engine/reference/retrieval/clusters.ts.

@group(0) @binding(4) var<storage, read_write> tokenWords: array<u32>;

//@if SPLIT
var<workgroup> products: array<f32, 64>;
var<workgroup> clusters: array<u32, 64>;
//@end

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let kvHead = workgroup.y;
  begin(workgroup.z);
  let token = (workgroup.x * 64u + invocation) / PARTS;
  let partClusters = clustersPerSegment() / PARTS;
  let firstCluster = (invocation % PARTS) * partClusters;
  let key = ringVector(kvHead, token);
  let mean = scratchMean(kvHead);
  var best = -3e38;
  var cluster = firstCluster;
  for (var tile = firstCluster; tile < firstCluster + partClusters; tile += TILE) {
    let centroid = scratchVector(kvHead, 0u, tile);
//@unroll c TILE
    var product$c = 0.0;
//@end
    for (var unit = 0u; unit < shape.headUnits; unit++) {
      let x = widen0(keys[key + unit]) - scratch[mean + unit];
//@unroll c TILE
      product$c += dot(x, scratch[centroid + $cu * shape.headUnits + unit]);
//@end
    }
//@unroll c TILE
    if (product$c > best) {
      best = product$c;
      cluster = tile + $cu;
    }
//@end
  }
//@if SPLIT
  products[invocation] = best;
  clusters[invocation] = cluster;
  workgroupBarrier();
  if (invocation % PARTS != 0u) { return; }
  for (var part = 1u; part < PARTS; part++) {
    if (products[invocation + part] > best) {
      best = products[invocation + part];
      cluster = clusters[invocation + part];
    }
  }
//@end
  let word = kvHead * shape.capacityTokens + segmentIndex * shape.segmentTokens + token;
  cluster = select(cluster, NO_CLUSTER, token < excludedTokens());
  tokenWords[word] = (tokenWords[word] & 0xffffu) | (cluster << 16u);
}
