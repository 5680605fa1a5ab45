// What RWKV mixes each row with the row before it into, once for each use it makes of them:
//     output[mix][row] = x[row] + (x[row − 1] − x[row]) ⊙ lerp[mix]
// The row before the step's first comes from tailIn; before the sequence it is 0. The last row stays behind in tailOut.
// Shapes: x [rows][units] vec4; lerp [mixes][units]; tailIn, tailOut [units]; output [mixes][maxRows][units].
// Bindings: 0 step, 1 shape, 2 x, 3 lerp, 4 tailIn, 5 tailOut, 6 output.
// Mapping: an invocation takes four columns of a row; y = row.
// Constants: INVOCATIONS. Reference: tokenShift in engine/reference/recurrent/rwkv.ts.

struct Step { rows: u32, position: u32 }
struct Shape { units: u32, mixes: u32, maxRows: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> lerp: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> tailIn: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> tailOut: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4<f32>>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = workgroup.y;
  let unit = workgroup.x * INVOCATIONS + invocation;
  if (unit >= shape.units) { return; }
  let own = x[row * shape.units + unit];
  var before = vec4<f32>();
  if (row > 0u) { before = x[(row - 1u) * shape.units + unit]; }
  else if (step.position > 0u) { before = tailIn[unit]; }
  for (var mix = 0u; mix < shape.mixes; mix++) {
    output[(mix * shape.maxRows + row) * shape.units + unit] = own + (before - own) * lerp[mix * shape.units + unit];
  }
  if (row == step.rows - 1u) { tailOut[unit] = own; }
}
