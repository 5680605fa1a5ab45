// Scales the centroids of each segment to length 1; a zero vector stays.
// Shapes: cluster_segment.wgsl. Bindings: 0 shape, 1 scratch.
// Mapping: an invocation per centroid; y = key-value head, z = segment.
// Constants: CLUSTER_TOKENS.
// Reference: clusterSegment in engine/reference/retrieval/clusters.ts.

struct Shape { capacitySlots: u32, capacityTokens: u32, segmentTokens: u32, headUnits: u32, atOnce: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read_write> scratch: array<vec4<f32>>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let clusters = shape.segmentTokens / CLUSTER_TOKENS;
  if (id.x >= clusters) { return; }
  let first = ((id.y * shape.atOnce + id.z) * (3u * clusters + 1u) + id.x) * shape.headUnits;
  var squared = 0.0;
  for (var unit = first; unit < first + shape.headUnits; unit++) { squared += dot(scratch[unit], scratch[unit]); }
  let scale = select(0.0, inverseSqrt(squared), squared > 0.0);
  for (var unit = first; unit < first + shape.headUnits; unit++) { scratch[unit] *= scale; }
}
