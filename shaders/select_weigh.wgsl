// Second kernel of a selection (select_shared.wgsl): the combined log-weight of each entry,
// log Σ over the group's heads of softmax(scores of the head), and the coarse histogram of their keys.
// Shapes: entryCounts, scores, masses as in select_statistics.wgsl, coarse as in select_shared.wgsl. The log-weights
//   replace the scores of the group's first head (-1e30 for excluded entries).
// Bindings: 0 shape, 1 entryCounts, 2 scores, 3 masses, 4 coarse.
// Mapping: workgroup x = split, y = key-value head. First every workgroup sums the heads' masses,
//   INVOCATIONS / GROUP lanes a head. With select_mass.wgsl.
// Constants: HALVED, the least power of two that is INVOCATIONS / GROUP or more.
// Reference: combinedLogWeights in engine/reference/retrieval/select.ts.

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> entryCounts: array<u32>;
@group(0) @binding(2) var<storage, read_write> scores: array<f32>;
@group(0) @binding(3) var<storage, read> masses: array<Mass>;
@group(0) @binding(4) var<storage, read_write> coarse: array<atomic<u32>>;

const LANES = u32(INVOCATIONS / GROUP);

var<workgroup> partials: array<Mass, INVOCATIONS>;
var<workgroup> logSumExps: array<f32, GROUP>;
var<workgroup> mine: array<atomic<u32>, BUCKETS>;

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let kvHead = workgroup.y;
  let laneHead = invocation / LANES;
  let lane = invocation % LANES;
  var mass = Mass(NOTHING, 0.0);
  if (laneHead < GROUP) {
    let row = (kvHead * GROUP + laneHead) * MASS_STRIDE;
    let count = min(u32(masses[row].highest), MAX_MASSES);
    for (var i = lane; i < count; i += LANES) { mass = together(mass, masses[row + 1u + i]); }
  }
  partials[invocation] = mass;
  for (var half = shape.invocations / (2u * INVOCATIONS / HALVED); half > 0u; half /= 2u) {
    workgroupBarrier();
    if (laneHead < GROUP && lane < half && lane + half < LANES) {
      partials[invocation] = together(partials[invocation], partials[invocation + half]);
    }
  }
  workgroupBarrier();
  if (invocation < GROUP) {
    let whole = partials[invocation * LANES];
    logSumExps[invocation] = select(0.0, whole.highest + log(whole.total), whole.total > 0.0);
  }
  workgroupBarrier();

  let slice = sliceOf(entryCounts[kvHead], workgroup.x, workgroups.x);
  let row = kvHead * GROUP * shape.scoreStride;
  for (var entry = slice.x + invocation; entry < slice.y; entry += INVOCATIONS) {
//@unroll n GROUP
    let score$n = scores[row + $nu * shape.scoreStride + entry];
//@end
    var highest = NOTHING;
//@unroll n GROUP
    let log$n = select(score$n - logSumExps[$n], NOTHING, isExcluded(score$n));
    highest = max(highest, log$n);
//@end
    // What is excluded adds nothing to a sum of one at least.
    var total = 0.0;
//@unroll n GROUP
    total += exp(max(log$n - highest, -88.0));
//@end
    let logWeight = select(highest + log(total), NOTHING, isExcluded(highest));
    scores[row + entry] = logWeight;
    let key = keyOf(logWeight);
    if (key != EXCLUDED) { atomicAdd(&mine[key >> FINE_BITS], 1u); }
  }
  workgroupBarrier();
  for (var bucket = invocation; bucket < BUCKETS; bucket += INVOCATIONS) {
    let count = atomicLoad(&mine[bucket]);
    if (count > 0u) { atomicAdd(&coarse[kvHead * BUCKETS + bucket], count); }
  }
}
