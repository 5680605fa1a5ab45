// Second kernel of a selection (select_shared.wgsl): the combined log-weight of each entry,
// log Σ over the group's heads of softmax(scores of the head), and the coarse histogram of their keys.
// Shapes: entryCounts, scores, masses, coarse as in select_statistics.wgsl. The log-weights replace the
//   scores of the group's first head (-1e30 for excluded entries).
// Bindings: 0 shape, 1 entryCounts, 2 scores, 3 masses, 4 coarse.
// Mapping: workgroup x = split, y = key-value head. First every workgroup sums the heads' masses over the
//   splits, INVOCATIONS / GROUP lanes a head. With select_mass.wgsl.
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
    for (var split = lane; split < workgroups.x; split += LANES) {
      mass = together(mass, masses[(kvHead * GROUP + laneHead) * MAX_SPLITS + split]);
    }
  }
  partials[invocation] = mass;
  for (var half = shape.invocations / 2u; half > 0u; half /= 2u) {
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
    var weight = Mass(NOTHING, 0.0);
    for (var head = 0u; head < GROUP; head++) {
      let score = scores[row + head * shape.scoreStride + entry];
      if (!isExcluded(score)) { weight = withScore(weight, score - logSumExps[head]); }
    }
    let logWeight = select(NOTHING, weight.highest + log(weight.total), weight.total > 0.0);
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
