// What becomes of what a head of RWKV-7 reads, in place: its mean is taken out and its deviation made 1, then
//     x ← (x ⊙ weight + bias + (Σ q ⊙ k ⊙ bonus) · v) ⊙ gate
// Shapes: x [rows][columns] f32; vectors [rows][3 · columns]: queries q, keys k, values v; gate [maxRows][columns], a
//   region of `projected`; weight, bias, bonus [columns].
// Bindings: 0 shape, 1 x, 2 vectors, 3 projected, 4 weight, 5 bias, 6 bonus.
// Mapping: workgroup x = head, y = row; invocations stride over the head's values.
// Constants: INVOCATIONS. Reference: rwkvRead in engine/reference/recurrent/rwkv.ts.

// The gates begin at `gates`, in f32.
struct Shape { columns: u32, headDim: u32, gates: u32, epsilon: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read> vectors: array<f32>;
@group(0) @binding(3) var<storage, read> projected: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read> bonus: array<f32>;

var<workgroup> sums: array<vec2<f32>, INVOCATIONS>;

fn total(part: vec2<f32>, invocation: u32) -> vec2<f32> {
  workgroupBarrier();
  sums[invocation] = part;
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { sums[invocation] += sums[invocation + half]; }
  }
  return workgroupUniformLoad(&sums[0]);
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = workgroup.y * shape.columns;
  let first = workgroup.x * shape.headDim;
  var part = vec2<f32>();
  for (var i = invocation; i < shape.headDim; i += INVOCATIONS) {
    let key = 3u * row + first + i;
    part += vec2<f32>(x[row + first + i], vectors[key] * vectors[key + shape.columns] * bonus[first + i]);
  }
  let sum = total(part, invocation);
  let mean = sum.x / f32(shape.headDim);
  var squares = 0.0;
  for (var i = invocation; i < shape.headDim; i += INVOCATIONS) {
    let centred = x[row + first + i] - mean;
    squares += centred * centred;
  }
  let scale = inverseSqrt(total(vec2<f32>(squares, 0.0), invocation).x / f32(shape.headDim) + shape.epsilon);
  for (var i = invocation; i < shape.headDim; i += INVOCATIONS) {
    let column = first + i;
    let normed = (x[row + column] - mean) * scale * weight[column] + bias[column];
    x[row + column] = (normed + sum.y * vectors[3u * row + 2u * shape.columns + column]) * projected[shape.gates + row + column];
  }
}
