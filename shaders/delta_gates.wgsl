// The gates of Gated DeltaNet: for each row and value head
//     decay = e^(rate · softplus(alpha + bias)),  strength = sigmoid(beta)
// Shapes: input [rows][stride] f32 with alpha and beta from their offsets on, in runs of `run` heads that begin 2 · run
//   apart; rate (≤ 0), bias [heads] f32; gates [rows][heads] of (decay, strength).
// Bindings: 0 step, 1 shape, 2 input, 3 rate, 4 bias, 5 gates.
// Mapping: an invocation a row and head.
// Constants: INVOCATIONS. Reference: deltaGates in engine/reference/recurrent/gatedDelta.ts.

struct Step { rows: u32, position: u32 }
struct Shape { heads: u32, stride: u32, alphaOffset: u32, betaOffset: u32, run: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read> rate: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> gates: array<vec2<f32>>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= step.rows * shape.heads) { return; }
  let row = id.x / shape.heads;
  let head = id.x % shape.heads;
  let place = row * shape.stride + head / shape.run * 2u * shape.run + head % shape.run;
  let alpha = input[place + shape.alphaOffset] + bias[head];
  let beta = input[place + shape.betaOffset];
  // log(1 + e^x), without overflow and without losing what a small e^x adds.
  let softplus = max(alpha, 0.0) + log(1.0 + exp(-abs(alpha)));
  gates[id.x] = vec2<f32>(exp(rate[head] * softplus), 1.0 / (1.0 + exp(min(-beta, 88.0))));
}
