// The gate of a feed-forward layer:  output[row][f] = activation(gateUp[row][f]) · gateUp[row][F + f]
// Shapes: gateUp [rows][2F] f32 (gate, then up), output [rows][F] f32; F divisible by 4.
// Bindings: 0 shape, 1 gateUp, 2 output.
// Mapping: y = row; the workgroups of x stride over the row's vec4s.
// Constants: INVOCATIONS. Reference: gate in engine/reference/gated.ts. Texts: activation.wgsl.

struct Shape { units: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> gateUp: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let row = workgroup.y;
  for (var unit = workgroup.x * INVOCATIONS + invocation; unit < shape.units; unit += workgroups.x * INVOCATIONS) {
    let gate = gateUp[row * 2u * shape.units + unit];
    let up = gateUp[row * 2u * shape.units + shape.units + unit];
    output[row * shape.units + unit] = activate(gate) * up;
  }
}
