// Looks up which of the chosen tokens lie in slots of the layer's cache, and makes room for those that do not: the
// slots to attend to, and what is to be fetched into which slot. The books of the cache never leave the GPU.
// Victims are the next slots from the clock hand on that were not used in the last 16 lookups, else not in the last 4,
// else not in this one. WAITING: the step waits for what is fetched, so every chosen token is listed. Otherwise only
// hits are: they stay in the selection, what is not there yet leaves it, and a token that is on its way already
// (PENDING) is not asked for again.
// Shapes: selectionTokens [kvHead][maxSelected], selectionCounts [kvHead] u32; slotOf [kvHead][capacityTokens] u16, two
//   to a word: slot + 1, 0 when absent; slots [kvHead][slots] (token + 1, lookup of the last use), then [kvHead]
//   (clock hand, 0); list [kvHead][listCapacity] slots, listCounts [kvHead]; requests [kvHead] of four (hits,
//   requested, looked up, chosen), then [i][kvHead] of two (token, slot).
// Bindings: 0 numbers, 1 shape, 2 selectionTokens, 3 selectionCounts, 4 slotOf, 5 slots, 6 list, 7 listCounts, 8 requests.
// Mapping: a workgroup per key-value head; an entry's place follows from the bits of the round's other invocations.
// Constants: INVOCATIONS, WAITING. Reference: lookUp in engine/reference/retrieval/slots.ts.

// now: number of this lookup, more than any before. first: the selection's first entry of this lookup; room: most
// entries; requestLimit: most requests of a head. sinks: pinned slots to list first.
struct Numbers { now: u32, first: u32, room: u32, sinks: u32, requestLimit: u32 }
// invocations is INVOCATIONS, but not known to the compiler: some unroll loops around barriers.
struct Shape { kvHeads: u32, capacityTokens: u32, slots: u32, pinnedSlots: u32, maxSelected: u32, listCapacity: u32, invocations: u32 }

@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read_write> selectionTokens: array<u32>;
@group(0) @binding(3) var<storage, read_write> selectionCounts: array<u32>;
@group(0) @binding(4) var<storage, read_write> slotOf: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> slots: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> list: array<u32>;
@group(0) @binding(7) var<storage, read_write> listCounts: array<u32>;
@group(0) @binding(8) var<storage, read_write> requests: array<u32>;

const MASKS = u32(INVOCATIONS / 32);
const PENDING = 0xffffu;

struct Progress { found: u32, hand: u32 }
var<workgroup> lookedUp: u32;
var<workgroup> requested: u32;
var<workgroup> progress: Progress;
// One bit an invocation: its entry is a hit, is to be requested; while looking for victims: its slot may be taken.
var<workgroup> hitBits: array<atomic<u32>, MASKS>;
var<workgroup> missBits: array<atomic<u32>, MASKS>;

fn heldIn(kvHead: u32, token: u32) -> u32 {
  let index = kvHead * shape.capacityTokens + token;
  return (atomicLoad(&slotOf[index / 2u]) >> (16u * (index % 2u))) & 0xffffu;
}

fn requestOf(kvHead: u32, rank: u32) -> u32 {
  return 4u * shape.kvHeads + 2u * (rank * shape.kvHeads + kvHead);
}

// Reserves the slot for the request of this rank, and takes it from the token it was given to before.
fn reserve(kvHead: u32, slot: u32, rank: u32) {
  let place = requestOf(kvHead, rank);
  let before = slots[kvHead * shape.slots + slot].x;
  if (before != 0u) {
    let held = heldIn(kvHead, before - 1u);
    if (held == slot + 1u || held == PENDING) {
      let index = kvHead * shape.capacityTokens + before - 1u;
      atomicAnd(&slotOf[index / 2u], ~(0xffffu << (16u * (index % 2u))));
    }
  }
  slots[kvHead * shape.slots + slot] = vec2<u32>(requests[place] + 1u, numbers.now);
//@if WAITING
  list[kvHead * shape.listCapacity + numbers.sinks + requests[place + 1u]] = slot;
//@end
  requests[place + 1u] = slot;
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let kvHead = workgroup.x;
  let mask = invocation / 32u;
  let bit = 1u << (invocation % 32u);
  let base = kvHead * shape.maxSelected + numbers.first;
  let listBase = kvHead * shape.listCapacity;
  let chosen = min(selectionCounts[kvHead], shape.maxSelected);
  if (invocation == 0u) { lookedUp = min(chosen - min(chosen, numbers.first), numbers.room); }
  let entries = workgroupUniformLoad(&lookedUp);
  for (var sink = invocation; sink < numbers.sinks; sink += INVOCATIONS) { list[listBase + sink] = sink; }

  // Hits and misses so far.
  var before = vec2<u32>();
  for (var round = 0u; round < entries; round += shape.invocations) {
    if (invocation < MASKS) {
      atomicStore(&hitBits[invocation], 0u);
      atomicStore(&missBits[invocation], 0u);
    }
    workgroupBarrier();
    let entry = round + invocation;
    var token = 0u;
    var held = PENDING;
    if (entry < entries) {
      token = selectionTokens[base + entry];
      held = heldIn(kvHead, token);
    }
    let isHit = held != 0u && held != PENDING;
    if (isHit) { atomicOr(&hitBits[mask], bit); }
    if (held == 0u) { atomicOr(&missBits[mask], bit); }
    workgroupBarrier();
    var mine = before;
    for (var i = 0u; i < MASKS; i++) {
      let bits = vec2<u32>(atomicLoad(&hitBits[i]), atomicLoad(&missBits[i]));
      before += countOneBits(bits);
      if (i < mask) { mine += countOneBits(bits); }
      if (i == mask) { mine += countOneBits(bits & vec2<u32>(bit - 1u)); }
    }
    if (isHit) {
      slots[kvHead * shape.slots + held - 1u].y = numbers.now;
//@if WAITING
      list[listBase + numbers.sinks + entry] = held - 1u;
//@else
      list[listBase + numbers.sinks + mine.x] = held - 1u;
      selectionTokens[base + mine.x] = token;
//@end
    }
    if (held == 0u && mine.y < numbers.requestLimit) {
      requests[requestOf(kvHead, mine.y)] = token;
      requests[requestOf(kvHead, mine.y) + 1u] = entry;
    }
    workgroupBarrier();
  }

  if (invocation == 0u) {
    requested = min(before.y, numbers.requestLimit);
    progress = Progress(0u, slots[shape.kvHeads * shape.slots + kvHead].x);
  }
  storageBarrier();
  let needed = workgroupUniformLoad(&requested);
  var state = workgroupUniformLoad(&progress);
  let managed = shape.slots - shape.pinnedSlots;
  for (var level = 0u; level < 3u && state.found < needed; level++) {
    let leastAge = 1u << (4u - 2u * level);
    let start = state.hand;
    for (var seen = 0u; seen < managed && state.found < needed; seen += shape.invocations) {
      if (invocation < MASKS) { atomicStore(&hitBits[invocation], 0u); }
      workgroupBarrier();
      let place = (start + seen + invocation) % managed;
      let slot = shape.pinnedSlots + place;
      let isFree = seen + invocation < managed && numbers.now - slots[kvHead * shape.slots + slot].y >= leastAge;
      if (isFree) { atomicOr(&hitBits[mask], bit); }
      workgroupBarrier();
      var rank = state.found;
      var after = state.found;
      for (var i = 0u; i < MASKS; i++) {
        let bits = atomicLoad(&hitBits[i]);
        after += countOneBits(bits);
        if (i < mask) { rank += countOneBits(bits); }
        if (i == mask) { rank += countOneBits(bits & (bit - 1u)); }
      }
      after = min(after, needed);
      if (isFree && rank < needed) { reserve(kvHead, slot, rank); }
      if (isFree && rank + 1u == after) { progress.hand = (place + 1u) % managed; }
      if (invocation == 0u) { progress.found = after; }
      storageBarrier();
      state = workgroupUniformLoad(&progress);
    }
  }

  storageBarrier();
  workgroupBarrier();
  for (var rank = invocation; rank < state.found; rank += INVOCATIONS) {
    let place = requestOf(kvHead, rank);
    let index = kvHead * shape.capacityTokens + requests[place];
//@if WAITING
    let held = requests[place + 1u] + 1u;
//@else
    let held = PENDING;
//@end
    atomicOr(&slotOf[index / 2u], held << (16u * (index % 2u)));
  }
  if (invocation == 0u) {
    slots[shape.kvHeads * shape.slots + kvHead].x = state.hand;
    requests[4u * kvHead] = before.x;
    requests[4u * kvHead + 1u] = state.found;
    requests[4u * kvHead + 2u] = entries;
    requests[4u * kvHead + 3u] = chosen;
//@if WAITING
    listCounts[kvHead] = numbers.sinks + entries;
//@else
    listCounts[kvHead] = numbers.sinks + before.x;
    selectionCounts[kvHead] = before.x;
//@end
  }
}
