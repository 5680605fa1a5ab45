// Decays of single keys, between 0 and 1, from x = input + bias:
//     SOFTPLUS     e^(rate · softplus(x))          Kimi Delta Attention, Gated DeltaNet-2; rate (≤ 0) one number a head
//     LOG_SIGMOID  sigmoid(x)^(1/16)               gated linear attention
//     else         e^(−e^(−1/2) · sigmoid(x))      RWKV-7
// Shapes: input [rows][stride] f32, [heads][headDim] of them from an offset on; bias [heads][headDim], rate [heads] f32;
//   decays [rows][heads][headDim] f32.
// Bindings: 0 shape, 1 input, 2 bias, 3 decays, with SOFTPLUS 4 rate.
// Mapping: an invocation a row and key.
// Constants: INVOCATIONS, SOFTPLUS, LOG_SIGMOID. Reference: keyDecay in engine/reference/recurrent/keyDecays.ts.

struct Shape { columns: u32, stride: u32, offset: u32, headDim: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> decays: array<f32>;
//@if SOFTPLUS
@group(0) @binding(4) var<storage, read> rate: array<f32>;
//@end

// log(1 + e^x), without overflow and without losing what a small e^x adds.
fn softplus(x: f32) -> f32 { return max(x, 0.0) + log(1.0 + exp(-abs(x))); }

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let key = workgroup.x * INVOCATIONS + invocation;
  let row = workgroup.y;
  if (key >= shape.columns) { return; }
  let x = input[row * shape.stride + shape.offset + key] + bias[key];
//@if SOFTPLUS
  let logarithm = rate[key / shape.headDim] * softplus(x);
//@else
//@if LOG_SIGMOID
  let logarithm = softplus(-x) / -16.0;
//@else
  let logarithm = -0.6065306597126334 / (1.0 + exp(min(-x, 88.0)));
//@end
//@end
  decays[row * shape.columns + key] = exp(logarithm);
}
