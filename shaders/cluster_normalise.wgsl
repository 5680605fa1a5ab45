// Scales the centroids of a segment to length 1; a zero vector stays.
// Shapes: cluster_segment.wgsl. Bindings: 0 shape, 1 scratch.
// Mapping: an invocation per centroid; y = key-value head.
// Constants: CLUSTERS, HEAD_UNITS = headDim / 4.
// Reference: clusterSegment in engine/reference/retrieval/clusters.ts.

struct Shape { capacitySlots: u32, capacityTokens: u32, headUnits: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read_write> scratch: array<vec4<f32>>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= CLUSTERS) { return; }
  let first = (id.y * (3 * CLUSTERS + 1) + id.x) * HEAD_UNITS;
  var squared = 0.0;
  for (var unit = first; unit < first + shape.headUnits; unit++) { squared += dot(scratch[unit], scratch[unit]); }
  let scale = select(0.0, inverseSqrt(squared), squared > 0.0);
  for (var unit = first; unit < first + shape.headUnits; unit++) { scratch[unit] *= scale; }
}
