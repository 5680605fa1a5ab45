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
// Mapping: a workgroup per key-value head, in rounds of at most AT_ONCE consecutive entries an invocation, whose
//   loads do not wait for each other; an entry's place follows from the sums of the invocations before.
// Constants: INVOCATIONS, AT_ONCE, WAITING, those of workgroup_sums.wgsl. Reference: lookUp in engine/reference/retrieval/slots.ts.

// now: number of this lookup, more than any before. first: the selection's first entry of this lookup; room: most
// entries; requestLimit: most requests of a head. sinks: pinned slots to list first.
struct Numbers { now: u32, first: u32, room: u32, sinks: u32, requestLimit: u32 }
struct Shape { kvHeads: u32, capacityTokens: u32, slots: u32, pinnedSlots: u32, maxSelected: u32, listCapacity: u32 }

@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read_write> selectionTokens: array<u32>;
@group(0) @binding(3) var<storage, read_write> selectionCounts: array<u32>;
@group(0) @binding(4) var<storage, read_write> slotOf: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> slots: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> list: array<u32>;
@group(0) @binding(7) var<storage, read_write> listCounts: array<u32>;
@group(0) @binding(8) var<storage, read_write> requests: array<u32>;

const PENDING = 0xffffu;

struct Progress { found: u32, hand: u32 }
var<workgroup> lookedUp: u32;
var<workgroup> requested: u32;
var<workgroup> progress: Progress;

// Consecutive entries of an invocation, where all of them need not more than AT_ONCE.
fn shareOf(entries: u32) -> u32 { return min(AT_ONCE, (entries + INVOCATIONS - 1u) / INVOCATIONS); }

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
  let base = kvHead * shape.maxSelected + numbers.first;
  let listBase = kvHead * shape.listCapacity;
  let chosen = min(selectionCounts[kvHead], shape.maxSelected);
  if (invocation == 0u) { lookedUp = min(chosen - min(chosen, numbers.first), numbers.room); }
  let entries = workgroupUniformLoad(&lookedUp);
  for (var sink = invocation; sink < numbers.sinks; sink += INVOCATIONS) { list[listBase + sink] = sink; }

  // Hits and misses so far.
  var before = vec2<u32>();
  let share = shareOf(entries);
  for (var round = 0u; round < entries; round += share * INVOCATIONS) {
    let firstEntry = round + share * invocation;
//@unroll i AT_ONCE
    // Read without asking, because a condition would have to wait.
    let token$i = selectionTokens[base + min(firstEntry + $iu, entries - 1u)];
//@end
//@unroll i AT_ONCE
    let found$i = heldIn(kvHead, token$i);
//@end
    var mine = vec2<u32>();
//@unroll i AT_ONCE
    let held$i = select(PENDING, found$i, $iu < share && firstEntry + $iu < entries);
    let isHit$i = held$i != 0u && held$i != PENDING;
    mine += vec2<u32>(u32(isHit$i), u32(held$i == 0u));
//@end
    let sums = sumsOf(mine, invocation);
    var place = before + sums.before;
    before += sums.total;
//@unroll i AT_ONCE
    if (isHit$i) {
      slots[kvHead * shape.slots + held$i - 1u].y = numbers.now;
//@if WAITING
      list[listBase + numbers.sinks + firstEntry + $iu] = held$i - 1u;
//@else
      list[listBase + numbers.sinks + place.x] = held$i - 1u;
      selectionTokens[base + place.x] = token$i;
//@end
      place.x += 1u;
    }
    if (held$i == 0u) {
      if (place.y < numbers.requestLimit) {
        requests[requestOf(kvHead, place.y)] = token$i;
        requests[requestOf(kvHead, place.y) + 1u] = firstEntry + $iu;
      }
      place.y += 1u;
    }
//@end
  }

  if (invocation == 0u) {
    requested = min(before.y, numbers.requestLimit);
    progress = Progress(0u, slots[shape.kvHeads * shape.slots + kvHead].x);
  }
  storageBarrier();
  let needed = workgroupUniformLoad(&requested);
  var state = workgroupUniformLoad(&progress);
  let managed = shape.slots - shape.pinnedSlots;
  let managedShare = shareOf(managed);
  for (var level = 0u; level < 3u && state.found < needed; level++) {
    let leastAge = 1u << (4u - 2u * level);
    let start = state.hand;
    for (var seen = 0u; seen < managed && state.found < needed; seen += managedShare * INVOCATIONS) {
      let firstSeen = seen + managedShare * invocation;
      var free = 0u;
//@unroll i AT_ONCE
      let slot$i = shape.pinnedSlots + (start + firstSeen + $iu) % managed;
      let usedAt$i = slots[kvHead * shape.slots + slot$i].y;
//@end
//@unroll i AT_ONCE
      let isFree$i = $iu < managedShare && firstSeen + $iu < managed && numbers.now - usedAt$i >= leastAge;
      free += u32(isFree$i);
//@end
      let sums = sumsOf(vec2<u32>(free, 0u), invocation);
      var rank = state.found + sums.before.x;
      let after = min(state.found + sums.total.x, needed);
//@unroll i AT_ONCE
      if (isFree$i) {
        if (rank < needed) { reserve(kvHead, slot$i, rank); }
        if (rank + 1u == after) { progress.hand = (slot$i - shape.pinnedSlots + 1u) % managed; }
        rank += 1u;
      }
//@end
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
