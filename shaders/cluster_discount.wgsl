// How many tokens of each cluster are not attended exactly: the cluster's count less its selected tokens. Two kernels,
// one after the other: the first copies the counts, the second (SUBTRACT) takes the selected tokens off.
// Shapes: counts, remaining [kvHead][clusterCapacity] u32; selectionTokens [kvHead][maxSelected] u32 positions, each
//   once; selectionCounts [kvHead] u32; tokenWords [kvHead][clusterCapacity · CLUSTER_TOKENS] u32, high 16 bits = cluster within
//   the token's segment.
// Bindings: 0 shape, 1 remaining, then 2 counts, or with SUBTRACT 2 selectionTokens, 3 selectionCounts, 4 tokenWords.
// Mapping: an invocation per cluster, or per selected token; y = key-value head.
// Constants: SUBTRACT, SEGMENT_TOKENS, CLUSTER_TOKENS, CLUSTERS = SEGMENT_TOKENS / CLUSTER_TOKENS, NO_CLUSTER.
// Reference: discount in engine/reference/retrieval/clusters.ts.

struct Shape { clusterCapacity: u32, maxSelected: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
//@if SUBTRACT
@group(0) @binding(1) var<storage, read_write> remaining: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read> selectionTokens: array<u32>;
@group(0) @binding(3) var<storage, read> selectionCounts: array<u32>;
@group(0) @binding(4) var<storage, read> tokenWords: array<u32>;
//@else
@group(0) @binding(1) var<storage, read_write> remaining: array<u32>;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
//@end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let clusters = id.y * shape.clusterCapacity;
//@if SUBTRACT
  if (id.x >= min(selectionCounts[id.y], shape.maxSelected)) { return; }
  let token = selectionTokens[id.y * shape.maxSelected + id.x];
  let cluster = tokenWords[clusters * CLUSTER_TOKENS + token] >> 16u;
  if (cluster != NO_CLUSTER) { atomicSub(&remaining[clusters + token / SEGMENT_TOKENS * CLUSTERS + cluster], 1u); }
//@else
  if (id.x < shape.clusterCapacity) { remaining[clusters + id.x] = counts[clusters + id.x]; }
//@end
}
