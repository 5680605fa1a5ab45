// What a step attends to when it attends to everything that the slots of a layer hold: a weight of one for every slot
// whose vectors are there, and for each cluster how many of its tokens lie in no slot, so that each key counts once.
// Two kernels, one after the other: the first copies the clusters' counts, the second (WEIGH) looks at the slots.
// Shapes: slots [kvHead][slots] (token + 1, lookup of the last use); slotOf [kvHead][capacityTokens] u16, two to a word:
//   slot + 1, 0 when absent; tokenWords [kvHead][capacityTokens] u32, high 16 bits = cluster within the token's segment;
//   weights [kvHead][slots] u32; counts, remaining [kvHead][capacityTokens / CLUSTER_TOKENS] u32; held [layer][kvHead] u32: far
//   tokens with a weight.
// Bindings: 0 shape, 1 remaining, 2 held, then 3 counts, or with WEIGH 3 slots, 4 slotOf, 5 tokenWords, 6 weights.
// Mapping: an invocation per cluster, or per slot; y = key-value head. Slots before pinnedSlots hold the sinks, which
//   are in no cluster and in no book.
// Constants: WEIGH, SEGMENT_TOKENS, CLUSTER_TOKENS, CLUSTERS = SEGMENT_TOKENS / CLUSTER_TOKENS, NO_CLUSTER.
// Reference: weighSlots in engine/reference/retrieval/slots.ts.

struct Shape { capacityTokens: u32, slots: u32, pinnedSlots: u32, firstHeld: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
//@if WEIGH
@group(0) @binding(1) var<storage, read_write> remaining: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read_write> held: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read> slots: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read> slotOf: array<u32>;
@group(0) @binding(5) var<storage, read> tokenWords: array<u32>;
@group(0) @binding(6) var<storage, read_write> weights: array<u32>;
//@else
@group(0) @binding(1) var<storage, read_write> remaining: array<u32>;
@group(0) @binding(2) var<storage, read_write> held: array<u32>;
@group(0) @binding(3) var<storage, read> counts: array<u32>;
//@end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let kvHead = id.y;
  let clusters = kvHead * (shape.capacityTokens / CLUSTER_TOKENS);
//@if WEIGH
  if (id.x >= shape.slots) { return; }
  let place = kvHead * shape.slots + id.x;
  if (id.x < shape.pinnedSlots) {
    weights[place] = 1u;
    return;
  }
  let given = slots[place].x;
  let token = max(given, 1u) - 1u;
  let index = kvHead * shape.capacityTokens + token;
  // A slot may be given to a token that is still on its way, or that was forgotten.
  let isHeld = given > 0u && ((slotOf[index / 2u] >> (16u * (index % 2u))) & 0xffffu) == id.x + 1u;
  weights[place] = u32(isHeld);
  if (!isHeld) { return; }
  atomicAdd(&held[shape.firstHeld + kvHead], 1u);
  let cluster = tokenWords[index] >> 16u;
  if (cluster != NO_CLUSTER) { atomicSub(&remaining[clusters + token / SEGMENT_TOKENS * CLUSTERS + cluster], 1u); }
//@else
  if (id.x == 0u) { held[shape.firstHeld + kvHead] = 0u; }
  if (id.x < shape.capacityTokens / CLUSTER_TOKENS) { remaining[clusters + id.x] = counts[clusters + id.x]; }
//@end
}
