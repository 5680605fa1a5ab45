// Puts vectors that were fetched from RAM or disk into the slots that the cache chose for them.
// Shapes: arrivals [arrival][2][VECTOR_WORDS] u32 (key, then value); slots [arrival] u32: kvHead · capacity +
//   slot; keys, values [kvHead][slot][VECTOR_WORDS] u32.
// Bindings: 0 count, 1 arrivals, 2 slots, 3 keys, 4 values.
// Mapping: an invocation per word of a vector; x over arrivals · VECTOR_WORDS.
// Constants: VECTOR_WORDS. Reference: the copies of scatterArrivals in engine/reference/scatter.ts.

struct Count { arrivals: u32, stride: u32 }
@group(0) @binding(0) var<uniform> count: Count;
@group(0) @binding(1) var<storage, read> arrivals: array<u32>;
@group(0) @binding(2) var<storage, read> slots: array<u32>;
@group(0) @binding(3) var<storage, read_write> keys: array<u32>;
@group(0) @binding(4) var<storage, read_write> values: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let index = id.y * count.stride + id.x;
  let arrival = index / VECTOR_WORDS;
  if (id.x >= count.stride || arrival >= count.arrivals) { return; }
  let i = index % VECTOR_WORDS;
  let slot = slots[arrival] * VECTOR_WORDS + i;
  keys[slot] = arrivals[2u * arrival * VECTOR_WORDS + i];
  values[slot] = arrivals[(2u * arrival + 1u) * VECTOR_WORDS + i];
}
