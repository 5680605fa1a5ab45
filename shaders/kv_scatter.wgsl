// Puts vectors that were fetched from RAM or disk into the slots that were reserved for them, and enters them into the
// cache's books. A slot that has been given to another token since is left alone.
// Shapes: places: [range] of (first arrival, arrivals), of which this is shape.range, then from shape.firstPlace on
//   [arrival] of (kvHead · slots + slot, token); arrivals [arrival][2][VECTOR_WORDS] u32 (key, then value); keys, values [kvHead][slot][VECTOR_WORDS] u32; slotOf, slots as in
//   slot_lookup.wgsl.
// Bindings: 0 shape, 1 places, 2 arrivals, 3 keys, 4 values, 5 slotOf, 6 slots.
// Mapping: an invocation per word of a vector, in strides of all invocations.
// Constants: VECTOR_WORDS. Reference: arrive in engine/reference/retrieval/slots.ts.

struct Shape { capacityTokens: u32, slots: u32, range: u32, firstPlace: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> places: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> arrivals: array<u32>;
@group(0) @binding(3) var<storage, read_write> keys: array<u32>;
@group(0) @binding(4) var<storage, read_write> values: array<u32>;
@group(0) @binding(5) var<storage, read_write> slotOf: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read> slots: array<vec2<u32>>;

const PENDING = 0xffffu;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let range = places[shape.range];
  let words = range.y * VECTOR_WORDS;
  for (var index = id.x; index < words; index += 64u * workgroups.x) {
    let arrival = range.x + index / VECTOR_WORDS;
    let i = index % VECTOR_WORDS;
    let place = places[shape.firstPlace + arrival];
    if (slots[place.x].x != place.y + 1u) { continue; }
    keys[place.x * VECTOR_WORDS + i] = arrivals[2u * arrival * VECTOR_WORDS + i];
    values[place.x * VECTOR_WORDS + i] = arrivals[(2u * arrival + 1u) * VECTOR_WORDS + i];
    if (i > 0u) { continue; }
    let entry = place.x / shape.slots * shape.capacityTokens + place.y;
    let shift = 16u * (entry % 2u);
    if (((atomicLoad(&slotOf[entry / 2u]) >> shift) & 0xffffu) == PENDING) {
      // PENDING is all ones, so one operation leaves slot + 1.
      atomicAnd(&slotOf[entry / 2u], ~((PENDING ^ (place.x % shape.slots + 1u)) << shift));
    }
  }
}
