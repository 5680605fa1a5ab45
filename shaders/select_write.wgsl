// Last kernel of a selection (select_shared.wgsl): writes the selected entries in ascending order. Clears the fine
// histogram.
// Shapes: entryCounts as in select_statistics.wgsl; scores as select_weigh.wgsl left them; thresholds,
//   splitCounts as in select_count.wgsl; tokens [kvHead][maxSelected], counts [kvHead] u32;
//   fine [kvHead][BUCKETS] u32. With LIST the entries are those of list [kvHead][listStride] u32, and what it holds is
//   written; else their indices.
// Bindings: 0 shape, 1 entryCounts, 2 scores, 3 thresholds, 4 splitCounts, 5 tokens, 6 counts, 7 fine, with LIST
//   8 list.
// Mapping: workgroup x = split, y = key-value head, in rounds of AT_ONCE consecutive entries an invocation; a split's
//   place in the list follows from the counts of those before it, an entry's from the sums of the invocations before.
//   With workgroup_sums.wgsl.
// Constants: LIST, AT_ONCE. Reference: selectHeaviest in engine/reference/retrieval/select.ts.

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> entryCounts: array<u32>;
@group(0) @binding(2) var<storage, read> scores: array<f32>;
@group(0) @binding(3) var<storage, read> thresholds: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read> splitCounts: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(6) var<storage, read_write> counts: array<u32>;
@group(0) @binding(7) var<storage, read_write> fine: array<u32>;
//@if LIST
@group(0) @binding(8) var<storage, read> list: array<u32>;
//@end

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let kvHead = workgroup.y;
  let threshold = thresholds[kvHead].x;
  let equalWanted = thresholds[kvHead].y;
  var earlier = vec2<u32>();
  for (var split = invocation; split < workgroup.x; split += INVOCATIONS) { earlier += splitCounts[kvHead * MAX_SPLITS + split]; }
  // Entries before the round: of smaller key, of equal key.
  var before = sumsOf(earlier, invocation).total;

  let slice = sliceOf(entryCounts[kvHead], workgroup.x, workgroups.x);
  let row = kvHead * GROUP * shape.scoreStride;
  for (var round = slice.x; round < slice.y; round += AT_ONCE * INVOCATIONS) {
    let first = round + AT_ONCE * invocation;
    var mine = vec2<u32>();
//@unroll i AT_ONCE
    var key$i = EXCLUDED;
    if (first + $iu < slice.y) { key$i = keyOf(scores[row + first + $iu]); }
    let isSmaller$i = key$i < threshold;
    // Excluded entries are at no threshold that equal ones are wanted of.
    let isEqual$i = key$i == threshold;
    mine += vec2<u32>(u32(isSmaller$i), u32(isEqual$i));
//@end
    let sums = sumsOf(mine, invocation);
    var place = before + sums.before;
    before += sums.total;
//@unroll i AT_ONCE
    if (isSmaller$i || (isEqual$i && place.y < equalWanted)) {
      let at = kvHead * shape.maxSelected + place.x + min(place.y, equalWanted);
//@if LIST
      tokens[at] = list[kvHead * shape.listStride + first + $iu];
//@else
      tokens[at] = first + $iu;
//@end
    }
    place += vec2<u32>(u32(isSmaller$i), u32(isEqual$i));
//@end
  }
  if (workgroup.x == workgroups.x - 1u && invocation == 0u) { counts[kvHead] = before.x + min(before.y, equalWanted); }
  let cleared = bucketsOf(workgroup.x, workgroups.x);
  for (var bucket = cleared.x + invocation; bucket < cleared.y; bucket += INVOCATIONS) { fine[kvHead * BUCKETS + bucket] = 0u; }
}
