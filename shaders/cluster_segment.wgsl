// What the kernels that build the clusters of some segments share: where their keys lie, centred by their mean.
// Spherical k-means by few dispatches a round and no barriers, which are slow on adapters that compute on the
// processor (RetroInfer, arXiv 2505.02922).
// Shapes: keys [kvHead][slot][headDim] f32 or f16, slot = position % capacitySlots (kv_load.wgsl);
//   scratch [kvHead][atOnce][3 · clusters + 1][headDim] f32: centroids of the centred keys, the final centroids, the
//   value means, then the keys' mean; clusters = segmentTokens / CLUSTER_TOKENS.
// Mapping: z = segment, from segment.first on; `begin` says which to the functions here.
// Bindings: 0 segment, 1 shape, 2 keys, 3 scratch.
// Constants: HALF_CACHE, SINK_TOKENS, NO_CLUSTER, CLUSTER_TOKENS. What depends on the model is in `shape`, so that all models share
//   the compiled kernels.

struct Segment { first: u32 }
// headUnits = headDim / 4; atOnce: segments that scratch has room for.
struct Shape { capacitySlots: u32, capacityTokens: u32, segmentTokens: u32, headUnits: u32, atOnce: u32 }

@group(0) @binding(0) var<uniform> segment: Segment;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(3) var<storage, read_write> scratch: array<vec4<f32>>;

// The segment that this workgroup is at, and its place in scratch.
var<private> segmentIndex: u32;
var<private> scratchPlace: u32;

fn begin(z: u32) {
  segmentIndex = segment.first + z;
  scratchPlace = z;
}

fn clustersPerSegment() -> u32 { return shape.segmentTokens / CLUSTER_TOKENS; }

/// Sinks belong to no cluster.
fn excludedTokens() -> u32 { return select(0u, SINK_TOKENS, segmentIndex == 0u); }

/// First unit of a token of the segment in the ring.
fn ringVector(kvHead: u32, token: u32) -> u32 {
  let slot = (segmentIndex * shape.segmentTokens + token) % shape.capacitySlots;
  return (kvHead * shape.capacitySlots + slot) * shape.headUnits;
}

/// First unit of a cluster's centroid (part 0), final centroid (1) or value mean (2).
fn scratchVector(kvHead: u32, part: u32, cluster: u32) -> u32 {
  return ((kvHead * shape.atOnce + scratchPlace) * (3u * clustersPerSegment() + 1u) + part * clustersPerSegment() + cluster) * shape.headUnits;
}

fn scratchMean(kvHead: u32) -> u32 { return scratchVector(kvHead, 3u, 0u); }

fn centredKey(kvHead: u32, token: u32, unit: u32) -> vec4<f32> {
  return widen0(keys[ringVector(kvHead, token) + unit]) - scratch[scratchMean(kvHead) + unit];
}
