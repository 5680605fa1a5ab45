// One convolution of the network that judges tokens: for each group (key head) by weights of its own
//     output[row][group][o] = silu(bias[group][o] + Σ_tap Σ_c weight[group][o][c][tap] · x[row − 4 + 2 · tap][group][c])
// which is the result for the token DELAY rows before; 0 where that lies before the sequence. Rows before the step come
// from tailIn, which are 0 before the sequence.
// Shapes: x [rows][stride] f32: of a group's inputs the first `split` at firstOffset + group · split, the rest at
//   secondOffset + group · (inputs − split); weight [groups · outputs][inputs][3]; bias [groups · outputs]; tailIn, tailOut
//   [4][groups][inputs]; output [rows][groups][outputs].
// Bindings: 0 step, 1 shape, 2 x, 3 weight, 4 bias, 5 tailIn, 6 tailOut, 7 output.
// Mapping: an invocation an output of a row (y), and after the rows an input of the tail that is left behind.
// Constants: INVOCATIONS, DELAY. Reference: RouterReference in engine/reference/evicting.ts.

struct Step { rows: u32, position: u32 }
struct Shape { groups: u32, inputs: u32, outputs: u32, stride: u32, firstOffset: u32, secondOffset: u32, split: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> tailIn: array<f32>;
@group(0) @binding(6) var<storage, read_write> tailOut: array<f32>;
@group(0) @binding(7) var<storage, read_write> output: array<f32>;

const tailRows = 4u;

// Rows are counted from the tail on, so that row 4 is the step's first.
fn inputAt(row: u32, group: u32, c: u32) -> f32 {
  if (row < tailRows) {
    if (step.position == 0u) { return 0.0; }
    return tailIn[(row * shape.groups + group) * shape.inputs + c];
  }
  let base = (row - tailRows) * shape.stride;
  if (c < shape.split) { return x[base + shape.firstOffset + group * shape.split + c]; }
  return x[base + shape.secondOffset + group * (shape.inputs - shape.split) + c - shape.split];
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = workgroup.y;
  let index = workgroup.x * INVOCATIONS + invocation;
  if (row >= step.rows) {
    if (index >= shape.groups * shape.inputs) { return; }
    tailOut[(row - step.rows) * shape.groups * shape.inputs + index] = inputAt(row, index / shape.inputs, index % shape.inputs);
    return;
  }
  if (index >= shape.groups * shape.outputs) { return; }
  let place = row * shape.groups * shape.outputs + index;
  if (step.position + row < DELAY) {
    output[place] = 0.0;
    return;
  }
  let group = index / shape.outputs;
  var sum = bias[index];
  for (var c = 0u; c < shape.inputs; c++) {
    let first = (index * shape.inputs + c) * 3u;
    for (var tap = 0u; tap < 3u; tap++) { sum += weight[first + tap] * inputAt(row + 2u * tap, group, c); }
  }
  // The exponent is bounded: e^88 is finite in f32, and beyond it the quotient is 0 anyway.
  output[place] = sum / (1.0 + exp(min(-sum, 88.0)));
}
