// Between the second and the third kernel of a selection (select_shared.wgsl): entries just behind one that weighs much
// get at least the weight from which on others follow. What a text says at a place is mostly read on from there, and what
// later steps will want can then be there in time.
// Shapes: entryCounts, coarse as in select_shared.wgsl; scores as select_weigh.wgsl left them: the log-weights in the row
//   of a group's first head. listTokens [kvHead][listStride] u32, ascending: the entries' positions.
// Bindings: 0 shape, 1 numbers, 2 entryCounts, 3 scores, 4 coarse, 5 listTokens with LIST.
// Mapping: workgroup x = split, y = key-value head; the few invocations whose entry weighs much raise those behind it.
//   Raised weights are not more than `followed`, so nothing follows them, whichever is raised first.
// Constants: LIST; without it, an entry's position is its number.
// Reference: withFollowers in engine/reference/retrieval/select.ts.

// followers: positions behind an entry of more than the log-weight `followed`, which is below zero.
struct Numbers { wanted: u32, followers: u32, followed: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<uniform> numbers: Numbers;
@group(0) @binding(2) var<storage, read> entryCounts: array<u32>;
@group(0) @binding(3) var<storage, read_write> scores: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> coarse: array<atomic<u32>>;
//@if LIST
@group(0) @binding(5) var<storage, read> listTokens: array<u32>;
//@end

fn positionOf(entry: u32, kvHead: u32) -> u32 {
//@if LIST
  return listTokens[kvHead * shape.listStride + entry];
//@else
  return entry;
//@end
}

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let kvHead = workgroup.y;
  let row = kvHead * GROUP * shape.scoreStride;
  let entries = entryCounts[kvHead];
  let slice = sliceOf(entries, workgroup.x, workgroups.x);
  for (var entry = slice.x + invocation; entry < slice.y; entry += INVOCATIONS) {
    if (bitcast<f32>(atomicLoad(&scores[row + entry])) <= numbers.followed) { continue; }
    let lastPosition = positionOf(entry, kvHead) + numbers.followers;
    let end = min(entries, entry + numbers.followers + 1u);
    for (var other = entry + 1u; other < end && positionOf(other, kvHead) <= lastPosition; other++) {
      if (isExcluded(bitcast<f32>(atomicLoad(&scores[row + other])))) { continue; }
      // The bits of numbers below zero ascend as they descend, and those of others come before.
      let before = atomicMin(&scores[row + other], bitcast<u32>(numbers.followed));
      if (before <= bitcast<u32>(numbers.followed)) { continue; }
      atomicSub(&coarse[kvHead * BUCKETS + (keyOf(bitcast<f32>(before)) >> FINE_BITS)], 1u);
      atomicAdd(&coarse[kvHead * BUCKETS + (keyOf(numbers.followed) >> FINE_BITS)], 1u);
    }
  }
}
