// Ends the clustering of some segments: stores each cluster's mean key and mean value in 8 bits.
// Shapes: scratch as in cluster_segment.wgsl; centroids, valueMeans [kvHead][capacityTokens / CLUSTER_TOKENS][headDim / 4 + 1]
//   u32: four signed integers a word (value = integer · scale), then the f32 scale.
// Bindings: 0 segment, 1 shape, 2 scratch, 3 centroids, 4 valueMeans.
// Mapping: an invocation per record, first the centroids, then the value means; y = key-value head, z = segment.
// Constants: CLUSTER_TOKENS.
// Reference: readEightBit in engine/reference/retrieval/eightBit.ts.

struct Segment { first: u32 }
struct Shape { capacitySlots: u32, capacityTokens: u32, segmentTokens: u32, headUnits: u32, atOnce: u32 }

@group(0) @binding(0) var<uniform> segment: Segment;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> scratch: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> centroids: array<u32>;
@group(0) @binding(4) var<storage, read_write> valueMeans: array<u32>;

/// Four integers, little end first.
fn eightBits(x: vec4<f32>) -> u32 {
  let whole = vec4<i32>(clamp(round(x), vec4<f32>(-127.0), vec4<f32>(127.0)));
  let bytes = vec4<u32>(whole & vec4<i32>(255)) << vec4<u32>(0u, 8u, 16u, 24u);
  return bytes.x | bytes.y | bytes.z | bytes.w;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let clusters = shape.segmentTokens / CLUSTER_TOKENS;
  if (id.x >= 2u * clusters) { return; }
  // The final centroids follow the centroids at work, the value means follow them.
  let first = ((id.y * shape.atOnce + id.z) * (3u * clusters + 1u) + clusters + id.x) * shape.headUnits;
  let cluster = id.y * (shape.capacityTokens / CLUSTER_TOKENS) + (segment.first + id.z) * clusters + id.x % clusters;
  let record = cluster * (shape.headUnits + 1u);
  var largest = vec4<f32>();
  for (var unit = 0u; unit < shape.headUnits; unit++) { largest = max(largest, abs(scratch[first + unit])); }
  let scale = max(max(largest.x, largest.y), max(largest.z, largest.w)) / 127.0;
  let inverse = select(0.0, 1.0 / scale, scale > 0.0);
  if (id.x < clusters) {
    for (var unit = 0u; unit < shape.headUnits; unit++) { centroids[record + unit] = eightBits(scratch[first + unit] * inverse); }
    centroids[record + shape.headUnits] = bitcast<u32>(scale);
  } else {
    for (var unit = 0u; unit < shape.headUnits; unit++) { valueMeans[record + unit] = eightBits(scratch[first + unit] * inverse); }
    valueMeans[record + shape.headUnits] = bitcast<u32>(scale);
  }
}
