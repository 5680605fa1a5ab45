// Norm and gate of what the heads of linear attention read, in place:
//     x[row][head] ← rms(x[row][head]) · weight ⊙ act(gate[row][head])     or, with GATE_FIRST, rms(x ⊙ act(gate)) · weight
// act is SiLU, with SIGMOID the sigmoid.
// Shapes: x [rows][heads · 4·units] f32; gate [rows][gateStride] vec4 from gateOffset on, as x; weight [weights] vec4,
//   repeated every `weights` vec4s.
// Bindings: 0 shape, 1 x, 2 gate, 3 weight.
// Mapping: workgroup x = head, y = row. With LONE_SUBGROUP the workgroup is one subgroup and the sum crosses lanes;
//   else it crosses workgroup memory.
// Constants: INVOCATIONS, LONE_SUBGROUP, GATE_FIRST, SIGMOID. Reference: gatedHeadNorm in
//   engine/reference/recurrent/gatedHeadNorm.ts.

struct Shape { units: u32, heads: u32, weights: u32, gateStride: u32, gateOffset: u32, epsilon: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gate: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;

//@if !LONE_SUBGROUP
var<workgroup> sums: array<f32, INVOCATIONS>;
//@end

fn activate(y: vec4<f32>) -> vec4<f32> {
  // The exponent is bounded: e^88 is finite in f32, and beyond it the quotient is 0 anyway.
  let denominator = 1.0 + exp(min(-y, vec4<f32>(88.0)));
//@if SIGMOID
  return 1.0 / denominator;
//@else
  return y / denominator;
//@end
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let first = workgroup.x * shape.units;
  let base = workgroup.y * shape.heads * shape.units + first;
  let gateBase = workgroup.y * shape.gateStride + shape.gateOffset + first;
  var sum = 0.0;
  for (var unit = invocation; unit < shape.units; unit += INVOCATIONS) {
    var value = x[base + unit];
//@if GATE_FIRST
    value *= activate(gate[gateBase + unit]);
    x[base + unit] = value;
//@end
    sum += dot(value, value);
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
    var value = x[base + unit] * scale * weight[(first + unit) % shape.weights];
//@if !GATE_FIRST
    value *= activate(gate[gateBase + unit]);
//@end
    x[base + unit] = value;
  }
}
