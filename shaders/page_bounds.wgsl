// The bounds of each page of 16 keys: per channel the smallest and the largest, rounded outwards to f16.
// Shapes: keys [kvHead][slot][headDim] f32 or f16, slot = position % capacitySlots (kv_load.wgsl); pages
//   [kvHead][pageCapacity][headDim] u32: low half = minimum, high half = maximum.
// Bindings: 0 segment, 1 shape, 2 keys, 3 pages.
// Mapping: an invocation per (page of the segment, unit of four dimensions); y = key-value head, z = segment, from segment.first on.
// Constants: HALF_CACHE, SEGMENT_TOKENS, HEAD_UNITS = headDim / 4.
// Reference: pageBounds in engine/reference/retrieval/pages.ts. Source: Quest (arXiv 2406.10774).

struct Segment { first: u32 }
struct Shape { capacitySlots: u32, pageCapacity: u32 }

@group(0) @binding(0) var<uniform> segment: Segment;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(3) var<storage, read_write> pages: array<vec4<u32>>;

const PAGE_TOKENS = 16u;
const LARGEST_HALF = 65504.0;
const SMALLEST_NORMAL_HALF = 0x1p-14;

/// Bits of the smallest half that is not below `x`, by integers: adapters round to f16 as they like, and their
/// compilers may take a conversion there and back for nothing. Subnormal halves, which some flush to zero, are passed
/// over; beyond the range of f16 it is the largest half, as in a cache of f16.
fn halfAbove(x: f32) -> u32 {
  let magnitude = clamp(abs(x), SMALLEST_NORMAL_HALF, LARGEST_HALF);
  // Exponents of f32 are biased by 112 more, and their mantissas are 13 bits longer.
  let word = bitcast<u32>(magnitude) - (112u << 23u);
  if (x > 0.0) { return (word + 0x1fffu) >> 13u; }
  return select(0x8000u | (word >> 13u), 0u, x > -SMALLEST_NORMAL_HALF);
}

fn halfBelow(x: f32) -> u32 { return halfAbove(-x) ^ 0x8000u; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let page = id.x / HEAD_UNITS;
  let unit = id.x % HEAD_UNITS;
  let kvHead = id.y;
  let segmentIndex = segment.first + id.z;
  if (page >= SEGMENT_TOKENS / PAGE_TOKENS) { return; }
  var lowest = vec4<f32>(1e38);
  var highest = vec4<f32>(-1e38);
  for (var i = 0u; i < PAGE_TOKENS; i++) {
    let slot = (segmentIndex * SEGMENT_TOKENS + page * PAGE_TOKENS + i) % shape.capacitySlots;
    let key = widen0(keys[(kvHead * shape.capacitySlots + slot) * HEAD_UNITS + unit]);
    lowest = min(lowest, key);
    highest = max(highest, key);
  }
  var bounds: vec4<u32>;
//@unroll c 4
  bounds[$c] = halfBelow(lowest[$c]) | (halfAbove(highest[$c]) << 16u);
//@end
  let index = kvHead * shape.pageCapacity + segmentIndex * (SEGMENT_TOKENS / PAGE_TOKENS) + page;
  pages[index * HEAD_UNITS + unit] = bounds;
}
