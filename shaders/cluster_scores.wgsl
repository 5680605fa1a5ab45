// Scores every far token by its cluster: query · centroid, with SIZE_TERM also log(members). Sinks score -1e30.
// Shapes: queries [heads][headDim] f32, scaled; centroids [kvHead][clusterCapacity][HEAD_UNITS + 1] u32
//   (cluster_store.wgsl); counts [kvHead][clusterCapacity] u32; tokenWords [kvHead][clusterCapacity · CLUSTER_TOKENS] u32, high
//   16 bits = cluster within the token's segment; scores [heads][clusterCapacity · CLUSTER_TOKENS] f32.
// Bindings: 0 shape, 1 queries, 2 centroids, 3 tokenWords, 4 scores, with SIZE_TERM 5 counts.
// Mapping: workgroup x = segment, y = key-value head; an invocation is a (cluster, query head) at first, then a token.
// Constants: SIZE_TERM, GROUP = query heads a key-value head, SEGMENT_TOKENS, CLUSTER_TOKENS, CLUSTERS = SEGMENT_TOKENS / CLUSTER_TOKENS,
//   HEAD_UNITS = headDim / 4, NO_CLUSTER. Reads centroids by kv_load_eight_bit.wgsl.
// Reference: clusterScores in engine/reference/retrieval/clusters.ts.

struct Shape { clusterCapacity: u32, headUnits: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> centroids: array<u32>;
@group(0) @binding(3) var<storage, read> tokenWords: array<u32>;
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;
//@if SIZE_TERM
@group(0) @binding(5) var<storage, read> counts: array<u32>;
//@end

var<workgroup> clusterScores: array<f32, CLUSTERS * GROUP>;

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let segment = workgroup.x;
  let kvHead = workgroup.y;
  let firstCluster = kvHead * shape.clusterCapacity + segment * CLUSTERS;
  for (var pair = invocation; pair < CLUSTERS * GROUP; pair += 128u) {
    let record = (firstCluster + pair / GROUP) * (HEAD_UNITS + 1u);
    let query = (kvHead * GROUP + pair % GROUP) * HEAD_UNITS;
    var sum = 0.0;
    for (var unit = 0u; unit < shape.headUnits; unit++) { sum += dot(queries[query + unit], widen0(centroids[record + unit])); }
    var score = sum * bitcast<f32>(centroids[record + HEAD_UNITS]);
//@if SIZE_TERM
    score += log(max(1.0, f32(counts[firstCluster + pair / GROUP])));
//@end
    clusterScores[pair] = score;
  }
  workgroupBarrier();
  let capacityTokens = shape.clusterCapacity * CLUSTER_TOKENS;
  for (var i = invocation; i < SEGMENT_TOKENS; i += 128u) {
    let token = segment * SEGMENT_TOKENS + i;
    let cluster = tokenWords[kvHead * capacityTokens + token] >> 16u;
    for (var head = 0u; head < GROUP; head++) {
      let score = select(clusterScores[min(cluster, CLUSTERS - 1u) * GROUP + head], -1e30, cluster == NO_CLUSTER);
      scores[(kvHead * GROUP + head) * capacityTokens + token] = score;
    }
  }
}
