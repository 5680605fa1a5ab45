// What each row of logits says of one given token: its log-probability, logit − log Σ e^logit, in nats.
// Shapes: logits [rows of the batch][vocabulary] f32; next [rows] u32, the tokens; logprobs [rows] f32. The batch is the
//   rows from firstRow on.
// Bindings: 0 batch, 1 logits, 2 next, 3 logprobs.
// Mapping: workgroup x = row of the batch; its INVOCATIONS stride over the vocabulary.
// Constants: INVOCATIONS.
// Reference: logprobsOf in engine/sampling/logprobs.ts.

struct Batch { vocabulary: u32, firstRow: u32 }

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> next: array<u32>;
@group(0) @binding(3) var<storage, read_write> logprobs: array<f32>;

// Stands for -infinity, which WGSL does not promise to handle.
const NOTHING = -3e38;

var<workgroup> maxima: array<f32, INVOCATIONS>;
var<workgroup> sums: array<f32, INVOCATIONS>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let first = workgroup.x * batch.vocabulary;
  var highest = NOTHING;
  for (var token = invocation; token < batch.vocabulary; token += INVOCATIONS) { highest = max(highest, logits[first + token]); }
  maxima[invocation] = highest;
  workgroupBarrier();
  for (var i = 0u; i < INVOCATIONS; i++) { highest = max(highest, maxima[i]); }
  var sum = 0.0;
  for (var token = invocation; token < batch.vocabulary; token += INVOCATIONS) { sum += exp(max(logits[first + token] - highest, -88.0)); }
  sums[invocation] = sum;
  workgroupBarrier();
  if (invocation > 0u) { return; }
  for (var i = 1u; i < INVOCATIONS; i++) { sum += sums[i]; }
  let row = batch.firstRow + workgroup.x;
  logprobs[row] = logits[first + next[row]] - highest - log(sum);
}
