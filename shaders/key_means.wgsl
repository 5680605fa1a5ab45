// Means of each 16 consecutive keys, as halves: what sparse reading ranks blocks of keys by.
// Shapes: keys [kvHead][slot][headDim] f32 or f16, slot = position % capacitySlots (kv_load.wgsl); means
//   [kvHead][meanCapacity][headDim] f16.
// Bindings: 0 stretch, 1 shape, 2 keys, 3 means.
// Mapping: an invocation per (mean of the stretch, unit of four dimensions); y = key-value head. Means from
//   stretch.index · MEANS on; what the dispatch has beyond stretch.count of them does nothing.
// Constants: HALF_CACHE, MEANS of a stretch, HEAD_UNITS = headDim / 4.
// Reference: keyMeans in engine/reference/sparseReading.ts.

struct Stretch { index: u32, count: u32 }
struct Shape { capacitySlots: u32, meanCapacity: u32 }

@group(0) @binding(0) var<uniform> stretch: Stretch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(3) var<storage, read_write> means: array<vec2<u32>>;

const MEAN_TOKENS = 16u;
const LARGEST_HALF = 65504.0;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let number = id.x / HEAD_UNITS;
  let unit = id.x % HEAD_UNITS;
  let kvHead = id.y;
  if (number >= stretch.count) { return; }
  let mean = stretch.index * MEANS + number;
  var sum = vec4<f32>();
  for (var i = 0u; i < MEAN_TOKENS; i++) {
    let slot = (mean * MEAN_TOKENS + i) % shape.capacitySlots;
    sum += widen0(keys[(kvHead * shape.capacitySlots + slot) * HEAD_UNITS + unit]);
  }
  let bounded = clamp(sum / f32(MEAN_TOKENS), vec4<f32>(-LARGEST_HALF), vec4<f32>(LARGEST_HALF));
  means[(kvHead * shape.meanCapacity + mean) * HEAD_UNITS + unit] = vec2<u32>(pack2x16float(bounded.xy), pack2x16float(bounded.zw));
}
