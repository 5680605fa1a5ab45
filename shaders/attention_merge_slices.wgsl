// Exact merge of partial attention by log-sum-exp for GPUs: as attention_merge.wgsl, with the splits shared among the
// slices of a workgroup, because one invocation after the other would wait for every load.
// Shapes and bindings: those of attention_merge.wgsl; at most MOST_SPLITS splits at a time are in workgroup memory.
// Mapping: workgroup x = vector; invocation = (slice, unit of four dimensions), headUnits at most THREADS.
//   The highest log-sum-exp and the sum of weights are found in two stages, because a loop over all splits waits as often.
// Constants: THREADS, MOST_SPLITS, RUNS of splits of the first stage.
// Reference: mergePartials in engine/reference/attention.ts.

struct Shape { splits: u32, vectors: u32, headUnits: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> logSumExps: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>;

var<workgroup> weights: array<f32, MOST_SPLITS>;
var<workgroup> runs: array<f32, RUNS>;
var<workgroup> sums: array<vec4<f32>, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let vector = workgroup.x;
  let slices = THREADS / shape.headUnits;
  let slice = invocation / shape.headUnits;
  let unit = invocation % shape.headUnits;
  for (var s = invocation; s < shape.splits; s += THREADS) { weights[s] = logSumExps[s * shape.vectors + vector]; }
  workgroupBarrier();
  var highest = -1e30;
  if (invocation < RUNS) {
    for (var s = invocation; s < shape.splits; s += RUNS) { highest = max(highest, weights[s]); }
    runs[invocation] = highest;
  }
  workgroupBarrier();
  for (var r = 0u; r < RUNS; r++) { highest = max(highest, runs[r]); }
  for (var s = invocation; s < shape.splits; s += THREADS) {
    weights[s] = select(0.0, exp(max(weights[s] - highest, -88.0)), weights[s] > -1e29);
  }
  workgroupBarrier();
  if (invocation < RUNS) {
    var total = 0.0;
    for (var s = invocation; s < shape.splits; s += RUNS) { total += weights[s]; }
    runs[invocation] = total;
  }
  var sum = vec4<f32>();
  if (slice < slices) {
    for (var s = slice; s < shape.splits; s += slices) {
      sum += weights[s] * partials[(s * shape.vectors + vector) * shape.headUnits + unit];
    }
  }
  sums[invocation] = sum;
  workgroupBarrier();
  if (slice > 0u) { return; }
  var total = 0.0;
  for (var r = 0u; r < RUNS; r++) { total += runs[r]; }
  for (var s = 1u; s < slices; s++) { sum += sums[s * shape.headUnits + unit]; }
  output[vector * shape.headUnits + unit] = sum * select(0.0, 1.0 / total, total > 0.0);
}
