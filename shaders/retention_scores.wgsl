// How much a token is worth keeping, for each group (key head): scores[group][row] = bias[group] + Σ_c weight[group][c] · x[row][group][c]
// Shapes: x [rows][groups][inputs] f32; weight [groups][inputs]; bias [groups]; scores [groups][maxRows].
// Bindings: 0 step, 1 shape, 2 x, 3 weight, 4 bias, 5 scores.
// Mapping: an invocation a row; y = group.
// Constants: INVOCATIONS. Reference: RouterReference in engine/reference/evicting.ts.

struct Step { rows: u32, position: u32 }
struct Shape { groups: u32, inputs: u32, maxRows: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> scores: array<f32>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = workgroup.x * INVOCATIONS + invocation;
  let group = workgroup.y;
  if (row >= step.rows) { return; }
  var sum = bias[group];
  let first = (row * shape.groups + group) * shape.inputs;
  for (var c = 0u; c < shape.inputs; c++) { sum += weight[group * shape.inputs + c] * x[first + c]; }
  scores[group * shape.maxRows + row] = sum;
}
