// First kernel of a selection (select_shared.wgsl): the mass of each head's scores over a split of the entries.
// Shapes: entryCounts [kvHead] u32; scores [head][scoreStride] f32, -1e30 excludes an entry;
//   masses [head][MASS_STRIDE].
// Bindings: 0 shape, 1 entryCounts, 2 scores, 3 masses.
// Mapping: workgroup x = split, y = head. With select_mass.wgsl.
// Reference: logSumExp in engine/reference/retrieval/select.ts.

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> entryCounts: array<u32>;
@group(0) @binding(2) var<storage, read> scores: array<f32>;
@group(0) @binding(3) var<storage, read_write> masses: array<Mass>;

var<workgroup> partials: array<Mass, INVOCATIONS>;

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let head = workgroup.y;
  let slice = sliceOf(entryCounts[head / GROUP], workgroup.x, workgroups.x);
  var mine = Mass(NOTHING, 0.0);
  for (var entry = slice.x + invocation; entry < slice.y; entry += INVOCATIONS) {
    let score = scores[head * shape.scoreStride + entry];
    if (!isExcluded(score)) { mine = withScore(mine, score); }
  }
  partials[invocation] = mine;
  for (var half = shape.invocations / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { partials[invocation] = together(partials[invocation], partials[invocation + half]); }
  }
  if (invocation == 0u) {
    masses[head * MASS_STRIDE + 1u + workgroup.x] = partials[0];
    if (workgroup.x == 0u) { masses[head * MASS_STRIDE] = Mass(f32(workgroups.x), 0.0); }
  }
}
