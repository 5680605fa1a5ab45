// Root-mean-square normalisation of rows:
//     output[row] = input[row] · weight / sqrt(mean(input[row]²) + epsilon)      (or += when ADD)
// With LAYER it is a layer norm: of the input without its mean, and a bias is added.
// Shapes: input, output [rows][columns] f32; weight, bias [columns] f32; columns divisible by 4.
// Bindings: 0 shape, 1 input, 2 weight, 3 output, with LAYER 4 bias.
// Mapping: one workgroup a row; invocations stride over the row's vec4s. With LONE_SUBGROUP the
// workgroup is one subgroup and the sum crosses lanes; else it crosses workgroup memory.
// Constants: INVOCATIONS, LONE_SUBGROUP, ADD, LAYER. Reference: normaliseRows in engine/reference/normalise.ts.

struct Shape { units: u32, epsilon: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>;
//@if LAYER
@group(0) @binding(4) var<storage, read> bias: array<vec4<f32>>;
//@end

//@if LONE_SUBGROUP
fn total(part: f32, invocation: u32) -> f32 { return subgroupAdd(part); }
//@else
var<workgroup> sums: array<f32, INVOCATIONS>;

fn total(part: f32, invocation: u32) -> f32 {
  workgroupBarrier();
  sums[invocation] = part;
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { sums[invocation] += sums[invocation + half]; }
  }
  return workgroupUniformLoad(&sums[0]);
}
//@end

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let base = workgroup.x * shape.units;
  let columns = f32(4u * shape.units);
//@if LAYER
  var sum = vec4<f32>();
  for (var unit = invocation; unit < shape.units; unit += INVOCATIONS) { sum += input[base + unit]; }
  let mean = total(dot(sum, vec4<f32>(1.0)), invocation) / columns;
//@end
  var squares = 0.0;
  for (var unit = invocation; unit < shape.units; unit += INVOCATIONS) {
//@if LAYER
    let x = input[base + unit] - mean;
//@else
    let x = input[base + unit];
//@end
    squares += dot(x, x);
  }
  let scale = inverseSqrt(total(squares, invocation) / columns + shape.epsilon);
  for (var unit = invocation; unit < shape.units; unit += INVOCATIONS) {
//@if LAYER
    let normed = (input[base + unit] - mean) * scale * weight[unit] + bias[unit];
//@else
    let normed = input[base + unit] * scale * weight[unit];
//@end
//@if ADD
    output[base + unit] += normed;
//@else
    output[base + unit] = normed;
//@end
  }
}
