// Assigns each token of a segment to the centroid of largest inner product with its centred key; of equals the
// first wins. Sinks are assigned to NO_CLUSTER.
// Shapes: those of cluster_segment.wgsl, and tokenWords [kvHead][capacityTokens] u32: the high 16 bits become the
//   cluster within the segment, the low 16 stay.
// Bindings: those of cluster_segment.wgsl, then 4 tokenWords.
// Mapping: workgroup x = 16 tokens, y = key-value head; four invocations share a token, each with a quarter of
//   the centroids.
// Constants: those of cluster_segment.wgsl; QUARTER = CLUSTERS / 4.
// Reference: nearest in engine/reference/retrieval/clusters.ts.

@group(0) @binding(4) var<storage, read_write> tokenWords: array<u32>;

var<workgroup> products: array<f32, 64>;
var<workgroup> clusters: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let kvHead = workgroup.y;
  let token = workgroup.x * 16u + invocation / 4u;
  let firstCluster = (invocation % 4u) * QUARTER;
  let key = ringVector(kvHead, token);
  let mean = scratchVector(kvHead, CLUSTERS);
  let centroid = scratchVector(kvHead, firstCluster);
//@unroll c QUARTER
  var product$c = 0.0;
//@end
  for (var unit = 0u; unit < HEAD_UNITS; unit++) {
    let x = widen0(keys[key + unit]) - scratch[mean + unit];
//@unroll c QUARTER
    product$c += dot(x, scratch[centroid + $cu * HEAD_UNITS + unit]);
//@end
  }
  var best = product0;
  var cluster = firstCluster;
//@unroll c QUARTER
  if (product$c > best) {
    best = product$c;
    cluster = firstCluster + $cu;
  }
//@end
  products[invocation] = best;
  clusters[invocation] = cluster;
  workgroupBarrier();
  if (invocation % 4u == 0u) {
    for (var quarter = 1u; quarter < 4u; quarter++) {
      if (products[invocation + quarter] > best) {
        best = products[invocation + quarter];
        cluster = clusters[invocation + quarter];
      }
    }
    let word = kvHead * shape.capacityTokens + segment.index * SEGMENT_TOKENS + token;
    cluster = select(cluster, NO_CLUSTER, token < excludedTokens());
    tokenWords[word] = (tokenWords[word] & 0xffffu) | (cluster << 16u);
  }
}
