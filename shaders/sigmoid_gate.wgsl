// The output gate of attention:  x[row] ← x[row] ⊙ sigmoid(gate[row])
// Shapes: x, gate [rows][4 · units] f32.
// Bindings: 0 shape, 1 x, 2 gate.
// Mapping: y = row; the workgroups of x stride over the row's vec4s.
// Constants: INVOCATIONS. Reference: sigmoidGate in engine/reference/gated.ts.

struct Shape { units: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gate: array<vec4<f32>>;

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let base = workgroup.y * shape.units;
  for (var unit = workgroup.x * INVOCATIONS + invocation; unit < shape.units; unit += workgroups.x * INVOCATIONS) {
    // The exponent is bounded: e^88 is finite in f32, and beyond it the quotient is 0 anyway.
    x[base + unit] /= 1.0 + exp(min(-gate[base + unit], vec4<f32>(88.0)));
  }
}
