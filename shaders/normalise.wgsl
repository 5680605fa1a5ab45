// Root-mean-square normalisation of rows:
//     output[row] = input[row] · weight / sqrt(mean(input[row]²) + epsilon)      (or += when ADD)
// Shapes: input, output [rows][columns] f32; weight [columns] f32; columns divisible by 4.
// Bindings: 0 shape, 1 input, 2 weight, 3 output.
// Mapping: one workgroup a row; invocations stride over the row's vec4s. With LONE_SUBGROUP the
// workgroup is one subgroup and the sum crosses lanes; else it crosses workgroup memory.
// Constants: INVOCATIONS, LONE_SUBGROUP, ADD. Reference: normaliseRows in engine/reference/normalise.ts.

struct Shape { units: u32, epsilon: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>;

//@if !LONE_SUBGROUP
var<workgroup> sums: array<f32, INVOCATIONS>;
//@end

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let base = workgroup.x * shape.units;
  var sum = 0.0;
  for (var unit = invocation; unit < shape.units; unit += INVOCATIONS) {
    let x = input[base + unit];
    sum += dot(x, x);
  }
//@if LONE_SUBGROUP
  let total = subgroupAdd(sum);
//@else
  sums[invocation] = sum;
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { sums[invocation] += sums[invocation + half]; }
  }
  workgroupBarrier();
  let total = sums[0];
//@end
  let scale = inverseSqrt(total / f32(4u * shape.units) + shape.epsilon);
  for (var unit = invocation; unit < shape.units; unit += INVOCATIONS) {
//@if ADD
    output[base + unit] += input[base + unit] * scale * weight[unit];
//@else
    output[base + unit] = input[base + unit] * scale * weight[unit];
//@end
  }
}
