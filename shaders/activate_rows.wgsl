// An activation by itself, in place: tanh (TANH), the sigmoid (SIGMOID), else the square of what is positive.
// Shapes: x [rows][units] vec4.
// Bindings: 0 shape, 1 x.
// Mapping: an invocation takes four columns of a row; y = row.
// Constants: INVOCATIONS, TANH, SIGMOID. Reference: activate in engine/reference/recurrent/rwkv.ts.

struct Shape { units: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read_write> x: array<vec4<f32>>;

// The exponent is bounded: e^88 is finite in f32, and beyond it the quotient is 0 anyway.
fn sigmoid(y: vec4<f32>) -> vec4<f32> { return 1.0 / (1.0 + exp(min(-y, vec4<f32>(88.0)))); }

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let unit = workgroup.x * INVOCATIONS + invocation;
  if (unit >= shape.units) { return; }
  let place = workgroup.y * shape.units + unit;
  let y = x[place];
//@if TANH
  // WGSL's own tanh may overflow for large numbers.
  x[place] = 2.0 * sigmoid(2.0 * y) - 1.0;
//@else
//@if SIGMOID
  x[place] = sigmoid(y);
//@else
  let positive = max(y, vec4<f32>());
  x[place] = positive * positive;
//@end
//@end
}
