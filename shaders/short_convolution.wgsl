// A causal depthwise convolution over the last TAPS inputs of each channel, and the inputs that the next step needs:
//     output[row][c] = act(Σ_t weight[c][t] · x[row − TAPS + 1 + t][c] + bias[c])
// Rows before the step come from tailIn; before the sequence they are 0. With GATED the inputs are three blocks
// b | c | x of `units` each: x ← b ⊙ x, and the output is multiplied by c.
// Shapes: input [rows][inputUnits] vec4, used from inputOffset on; weight [channels][TAPS] f32; bias [channels] f32; tailIn, tailOut
//   [TAPS − 1][units] vec4; output [rows][units] vec4; channels = 4 · units.
// Bindings: 0 step, 1 shape, 2 input, 3 weight, 4 tailIn, 5 tailOut, 6 output, with BIAS 7 bias.
// Mapping: an invocation takes four channels of a row; y = row, and after the rows the tail that is left behind.
// Constants: INVOCATIONS, TAPS, SILU, GATED, BIAS. Reference: shortConvolution in
// engine/reference/recurrent/shortConvolution.ts.

struct Step { rows: u32, position: u32 }
struct Shape { units: u32, inputUnits: u32, inputOffset: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> tailIn: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> tailOut: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4<f32>>;
//@if BIAS
@group(0) @binding(7) var<storage, read> bias: array<vec4<f32>>;
//@end

// What goes into the convolution; rows are counted from the tail on, so that row TAPS − 1 is the step's first.
fn inputAt(row: u32, unit: u32) -> vec4<f32> {
  if (row < TAPS - 1u) {
    if (step.position == 0u) { return vec4<f32>(); }
    return tailIn[row * shape.units + unit];
  }
  let base = (row - (TAPS - 1u)) * shape.inputUnits + shape.inputOffset + unit;
//@if GATED
  return input[base] * input[base + 2u * shape.units];
//@else
  return input[base];
//@end
}

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let row = workgroup.y;
  for (var unit = workgroup.x * INVOCATIONS + invocation; unit < shape.units; unit += workgroups.x * INVOCATIONS) {
    if (row >= step.rows) {
      tailOut[(row - step.rows) * shape.units + unit] = inputAt(row, unit);
      continue;
    }
//@if BIAS
    var sum = bias[unit];
//@else
    var sum = vec4<f32>();
//@end
    let first = 4u * unit * TAPS;
    for (var tap = 0u; tap < TAPS; tap++) {
      let factor = vec4<f32>(weight[first + tap], weight[first + TAPS + tap], weight[first + 2u * TAPS + tap], weight[first + 3u * TAPS + tap]);
      sum += factor * inputAt(row + tap, unit);
    }
//@if SILU
    // The exponent is bounded: e^88 is finite in f32, and beyond it the quotient is 0 anyway.
    sum /= 1.0 + exp(min(-sum, vec4<f32>(88.0)));
//@end
//@if GATED
    sum *= input[row * shape.inputUnits + shape.inputOffset + shape.units + unit];
//@end
    output[row * shape.units + unit] = sum;
  }
}
