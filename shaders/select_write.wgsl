// Last kernel of a selection (select_shared.wgsl): writes the selected entries in ascending order.
// Shapes: entryCounts as in select_statistics.wgsl; scores as select_weigh.wgsl left them; thresholds,
//   splitCounts as in select_count.wgsl; tokens [kvHead][maxSelected], counts [kvHead] u32. With LIST the
//   entries are those of list [kvHead][listStride] u32, and what it holds is written; else their indices.
// Bindings: 0 shape, 1 entryCounts, 2 scores, 3 thresholds, 4 splitCounts, 5 tokens, 6 counts, with LIST
//   7 list.
// Mapping: workgroup x = split, y = key-value head; its place in the list follows from the counts of the
//   splits before it, an entry's place from the bits of the round's other invocations.
// Constants: LIST. Reference: selectHeaviest in engine/reference/retrieval/select.ts.

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> entryCounts: array<u32>;
@group(0) @binding(2) var<storage, read> scores: array<f32>;
@group(0) @binding(3) var<storage, read> thresholds: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read> splitCounts: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(6) var<storage, read_write> counts: array<u32>;
//@if LIST
@group(0) @binding(7) var<storage, read> list: array<u32>;
//@end

const MASKS = u32(INVOCATIONS / 32);

// Entries before the round: of smaller key, of equal key.
var<workgroup> partials: array<vec2<u32>, INVOCATIONS>;
// One bit an invocation: its entry's key is smaller than the threshold, equal to it.
var<workgroup> smaller: array<atomic<u32>, MASKS>;
var<workgroup> equal: array<atomic<u32>, MASKS>;

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
  partials[invocation] = earlier;
  for (var half = shape.invocations / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { partials[invocation] += partials[invocation + half]; }
  }
  workgroupBarrier();
  var before = partials[0];

  let slice = sliceOf(entryCounts[kvHead], workgroup.x, workgroups.x);
  let mask = invocation / 32u;
  let bit = 1u << (invocation % 32u);
  for (var round = slice.x; round < slice.y; round += INVOCATIONS) {
    if (invocation < MASKS) {
      atomicStore(&smaller[invocation], 0u);
      atomicStore(&equal[invocation], 0u);
    }
    workgroupBarrier();
    let entry = round + invocation;
    var isSmaller = false;
    var isEqual = false;
    if (entry < slice.y) {
      let key = keyOf(scores[kvHead * GROUP * shape.scoreStride + entry]);
      isSmaller = key < threshold;
      isEqual = key == threshold;
      if (isSmaller) { atomicOr(&smaller[mask], bit); }
      if (isEqual) { atomicOr(&equal[mask], bit); }
    }
    workgroupBarrier();
    var mine = before;
    for (var i = 0u; i < MASKS; i++) {
      let bits = vec2<u32>(atomicLoad(&smaller[i]), atomicLoad(&equal[i]));
      before += countOneBits(bits);
      if (i < mask) { mine += countOneBits(bits); }
      if (i == mask) { mine += countOneBits(bits & vec2<u32>(bit - 1u)); }
    }
    if (isSmaller || (isEqual && mine.y < equalWanted)) {
      let place = kvHead * shape.maxSelected + mine.x + min(mine.y, equalWanted);
//@if LIST
      tokens[place] = list[kvHead * shape.listStride + entry];
//@else
      tokens[place] = entry;
//@end
    }
    workgroupBarrier();
  }
  if (workgroup.x == workgroups.x - 1u && invocation == 0u) { counts[kvHead] = before.x + min(before.y, equalWanted); }
}
