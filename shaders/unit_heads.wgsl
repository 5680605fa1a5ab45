// Scales head vectors to a length of their own, in place:  x ← x · scale / sqrt(Σx² + epsilon)
// Shapes: vectors [rows][stride] vec4; a row begins with head vectors of `units` vec4s: `queries` of them, whose scale is
//   queryScale, then keys, whose scale is 1.
// Bindings: 0 shape, 1 vectors.
// Mapping: workgroup x = head vector, y = row. With LONE_SUBGROUP the workgroup is one subgroup and the sum crosses
//   lanes; else it crosses workgroup memory.
// Constants: INVOCATIONS, LONE_SUBGROUP. Reference: unitHeads in engine/reference/recurrent/gatedDelta.ts.

struct Shape { units: u32, stride: u32, queries: u32, queryScale: f32, epsilon: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read_write> vectors: array<vec4<f32>>;

//@if !LONE_SUBGROUP
var<workgroup> sums: array<f32, INVOCATIONS>;
//@end

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let base = workgroup.y * shape.stride + workgroup.x * shape.units;
  var sum = 0.0;
  for (var unit = invocation; unit < shape.units; unit += INVOCATIONS) {
    let x = vectors[base + unit];
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
  let scale = inverseSqrt(total + shape.epsilon) * select(1.0, shape.queryScale, workgroup.x < shape.queries);
  for (var unit = invocation; unit < shape.units; unit += INVOCATIONS) { vectors[base + unit] *= scale; }
}
