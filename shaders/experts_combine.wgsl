// Adds up what a row's experts gave:
//     output[row] (+)= Σ_slot shares[row][slot] · branches[row · chosen + slot] (+ shares[row][chosen] · shared[row])
// Shapes: branches [rows · chosen][columns] f32, shares [rows][chosen + 1] f32, shared, output [rows][columns] f32;
//   columns divisible by 4.
// Bindings: 0 shape, 1 branches, 2 shares, 3 output, with SHARED 4 shared.
// Mapping: y = row; the workgroups of x stride over the row's vec4s.
// Constants: INVOCATIONS, SHARED, ADD. Reference: combine in engine/reference/experts.ts.

struct Shape { units: u32, chosen: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> branches: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> shares: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>;
//@if SHARED
@group(0) @binding(4) var<storage, read> shared_branch: array<vec4<f32>>;
//@end

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let row = workgroup.y;
  let share = row * (shape.chosen + 1u);
  for (var unit = workgroup.x * INVOCATIONS + invocation; unit < shape.units; unit += workgroups.x * INVOCATIONS) {
//@if SHARED
    var sum = shares[share + shape.chosen] * shared_branch[row * shape.units + unit];
//@else
    var sum = vec4<f32>(0.0);
//@end
    for (var slot = 0u; slot < shape.chosen; slot++) {
      sum += shares[share + slot] * branches[(row * shape.chosen + slot) * shape.units + unit];
    }
//@if ADD
    output[row * shape.units + unit] += sum;
//@else
    output[row * shape.units + unit] = sum;
//@end
  }
}
