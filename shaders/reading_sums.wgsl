// The log of Σ e^score over the blocks of each sampled query.
// Shapes: scores [kvHead][queries][blockCapacity] f32 (reading_scores.wgsl); sums [kvHead][queries] f32.
// Bindings: 0 reading, 1 shape, 2 scores, 3 sums.
// Mapping: workgroup x = query, y = key-value head; invocations share its blocks.
// Constants: INVOCATIONS, a power of two; GROUP = query heads a key-value head.
// Reference: blockImportance in engine/reference/sparseReading.ts. Text: reading_numbers.wgsl.

@group(0) @binding(2) var<storage, read> scores: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

var<workgroup> numbers: array<f32, INVOCATIONS>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let query = workgroup.y * reading.sampled * GROUP + workgroup.x;
  let first = query * shape.blockCapacity;
  var top = -3e38;
  for (var block = invocation; block < reading.blocks; block += INVOCATIONS) { top = max(top, scores[first + block]); }
  numbers[invocation] = top;
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { numbers[invocation] = max(numbers[invocation], numbers[invocation + half]); }
  }
  top = workgroupUniformLoad(&numbers[0]);
  var total = 0.0;
  for (var block = invocation; block < reading.blocks; block += INVOCATIONS) { total += exp(max(scores[first + block] - top, -88.0)); }
  numbers[invocation] = total;
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { numbers[invocation] += numbers[invocation + half]; }
  }
  if (invocation == 0u) { sums[query] = top + log(numbers[0]); }
}
