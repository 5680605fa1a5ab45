// The gates of Mamba-2: for each row and head, with Δ = softplus(input + bias),
//     decay = e^(rate · Δ),  strength = Δ
// Shapes: input [rows][stride] f32, [heads] of them from an offset on; rate (≤ 0), bias [heads] f32; gates [rows][heads] of
//   (decay, strength).
// Bindings: 0 step, 1 shape, 2 input, 3 rate, 4 bias, 5 gates.
// Mapping: an invocation a row and head.
// Constants: INVOCATIONS. Reference: stateSpaceGates in engine/reference/recurrent/stateSpace.ts.

struct Step { rows: u32, position: u32 }
struct Shape { heads: u32, stride: u32, offset: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read> rate: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> gates: array<vec2<f32>>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= step.rows * shape.heads) { return; }
  let head = id.x % shape.heads;
  let x = input[id.x / shape.heads * shape.stride + shape.offset + head] + bias[head];
  // log(1 + e^x), without overflow and without losing what a small e^x adds.
  let step = max(x, 0.0) + log(1.0 + exp(-abs(x)));
  gates[id.x] = vec2<f32>(exp(rate[head] * step), step);
}
