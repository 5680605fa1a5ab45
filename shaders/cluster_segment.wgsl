// What the kernels that build a segment's clusters share: where its keys lie, centred by their mean.
// Spherical k-means by few dispatches a round and no barriers, which are slow on adapters that compute on the
// processor (RetroInfer, arXiv 2505.02922).
// Shapes: keys [kvHead][slot][headDim] f32 or f16, slot = position % capacitySlots (kv_load.wgsl);
//   scratch [kvHead][3 · CLUSTERS + 1][headDim] f32: centroids of the centred keys, the keys' mean, then the final
//   centroids and value means.
// Bindings: 0 segment, 1 shape, 2 keys, 3 scratch.
// Constants: HALF_CACHE, SEGMENT_TOKENS, CLUSTERS = SEGMENT_TOKENS / 16, HEAD_UNITS = headDim / 4,
//   SINK_TOKENS, NO_CLUSTER.

struct Segment { index: u32 }
struct Shape { capacitySlots: u32, capacityTokens: u32, headUnits: u32 }

@group(0) @binding(0) var<uniform> segment: Segment;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(3) var<storage, read_write> scratch: array<vec4<f32>>;

const MEAN = CLUSTERS;
const FINAL_CENTROIDS = CLUSTERS + 1;
const FINAL_VALUES = 2 * CLUSTERS + 1;

/// Sinks belong to no cluster.
fn excludedTokens() -> u32 { return select(0u, SINK_TOKENS, segment.index == 0u); }

/// First unit of a token of the segment in the ring.
fn ringVector(kvHead: u32, token: u32) -> u32 {
  let slot = (segment.index * SEGMENT_TOKENS + token) % shape.capacitySlots;
  return (kvHead * shape.capacitySlots + slot) * HEAD_UNITS;
}

/// First unit of a row of `scratch`: a cluster, MEAN, or a cluster after FINAL_CENTROIDS or FINAL_VALUES.
fn scratchVector(kvHead: u32, row: u32) -> u32 { return (kvHead * (3 * CLUSTERS + 1) + row) * HEAD_UNITS; }

fn centredKey(kvHead: u32, token: u32, unit: u32) -> vec4<f32> {
  return widen0(keys[ringVector(kvHead, token) + unit]) - scratch[scratchVector(kvHead, MEAN) + unit];
}
