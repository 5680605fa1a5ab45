// Which blocks of 64 keys a block of rows attends to: the first, those from nearBlock on, and of the others the `wanted`
// ones that got most from the sampled queries together, of equal ones the earlier. Their numbers come out ascending.
// Shapes: scores [kvHead][queries][blockCapacity] f32; sums [kvHead][queries] f32; importance [kvHead][blockCapacity] f32,
//   scratch; list [kvHead][blockCapacity] u32.
// Bindings: 0 reading, 1 shape, 2 scores, 3 sums, 4 importance, 5 list.
// Mapping: workgroup x = key-value head; an invocation has a run of consecutive blocks. The least importance that is
//   chosen is found bit by bit: floats that are not negative are ordered as their bits.
// Constants: INVOCATIONS, GROUP = query heads a key-value head.
// Reference: blockImportance, blocksToRead in engine/reference/sparseReading.ts. Text: reading_numbers.wgsl.

@group(0) @binding(2) var<storage, read> scores: array<f32>;
@group(0) @binding(3) var<storage, read> sums: array<f32>;
@group(0) @binding(4) var<storage, read_write> importance: array<f32>;
@group(0) @binding(5) var<storage, read_write> list: array<u32>;

var<workgroup> counts: array<u32, INVOCATIONS>;
var<workgroup> total: atomic<u32>;

// Of all invocations together.
fn count_all(mine: u32, invocation: u32) -> u32 {
  workgroupBarrier();
  if (invocation == 0u) { atomicStore(&total, 0u); }
  workgroupBarrier();
  if (mine > 0u) { atomicAdd(&total, mine); }
  return workgroupUniformLoad(&total);
}

// Of the invocations before this one.
fn count_before(mine: u32, invocation: u32) -> u32 {
  workgroupBarrier();
  counts[invocation] = mine;
  workgroupBarrier();
  var sum = 0u;
  for (var i = 0u; i < invocation; i++) { sum += counts[i]; }
  return sum;
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let kvHead = workgroup.x;
  let own = kvHead * shape.blockCapacity;
  let queries = reading.sampled * GROUP;
  let share = (reading.blocks + INVOCATIONS - 1u) / INVOCATIONS;
  let begin = min(invocation * share, reading.blocks);
  let end = min(begin + share, reading.blocks);
  // Those among which there is a choice.
  let lowest = max(begin, 1u);
  let behind = min(end, reading.nearBlock);
  for (var block = lowest; block < behind; block++) {
    var sum = 0.0;
    for (var query = kvHead * queries; query < (kvHead + 1u) * queries; query++) {
      sum += exp(max(scores[query * shape.blockCapacity + block] - sums[query], -88.0));
    }
    importance[own + block] = sum;
  }
  var least = 0u;
  for (var bit = 31u; bit > 0u; bit--) {
    let tried = least | (1u << (bit - 1u));
    var enough = 0u;
    for (var block = lowest; block < behind; block++) { enough += select(0u, 1u, bitcast<u32>(importance[own + block]) >= tried); }
    if (count_all(enough, invocation) >= reading.wanted) { least = tried; }
  }
  var above = 0u;
  var equal = 0u;
  for (var block = lowest; block < behind; block++) {
    let bits = bitcast<u32>(importance[own + block]);
    above += select(0u, 1u, bits > least);
    equal += select(0u, 1u, bits == least);
  }
  let room = reading.wanted - min(reading.wanted, count_all(above, invocation));
  let equalBefore = count_before(equal, invocation);
  let equalChosen = min(equal, room - min(room, equalBefore));
  var always = 0u;
  for (var block = begin; block < end; block++) { always += select(0u, 1u, block == 0u || block >= reading.nearBlock); }
  var place = own + count_before(above + equalChosen + always, invocation);
  var left = equalChosen;
  for (var block = begin; block < end; block++) {
    var chosen = block == 0u || block >= reading.nearBlock;
    if (!chosen) {
      let bits = bitcast<u32>(importance[own + block]);
      chosen = bits > least || (bits == least && left > 0u);
      if (bits == least && left > 0u) { left -= 1u; }
    }
    if (chosen) {
      list[place] = block;
      place += 1u;
    }
  }
}
