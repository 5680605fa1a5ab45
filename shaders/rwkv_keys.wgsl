// The keys of RWKV-7 and what they erase. With α = sigmoid(rate + rateBias) and κ = k ⊙ keyScale, made a vector of length 1:
//     key = k ⊙ (1 + (α − 1) ⊙ keyRate);  a = κ ÷ decay;  b = κ ⊙ α
// a undoes the decay, because what it erases is read before the state decays.
// Shapes: projected [region][maxRows][columns] f32, of which k and the rate are a region each; keyScale, keyRate, rateBias
//   [columns]; decays [rows][columns]; vectors [rows][3 · columns], the keys in the middle; erasers [rows][heads] of a, b,
//   [headDim] each.
// Bindings: 0 shape, 1 projected, 2 keyScale, 3 keyRate, 4 rateBias, 5 decays, 6 vectors, 7 erasers.
// Mapping: workgroup x = head, y = row; invocations stride over the head's keys.
// Constants: INVOCATIONS. Reference: rwkvKeys in engine/reference/recurrent/rwkv.ts.

// Regions begin at these f32.
struct Shape { columns: u32, headDim: u32, keys: u32, rates: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> projected: array<f32>;
@group(0) @binding(2) var<storage, read> keyScale: array<f32>;
@group(0) @binding(3) var<storage, read> keyRate: array<f32>;
@group(0) @binding(4) var<storage, read> rateBias: array<f32>;
@group(0) @binding(5) var<storage, read> decays: array<f32>;
@group(0) @binding(6) var<storage, read_write> vectors: array<f32>;
@group(0) @binding(7) var<storage, read_write> erasers: array<f32>;

var<workgroup> sums: array<f32, INVOCATIONS>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = workgroup.y * shape.columns;
  let first = workgroup.x * shape.headDim;
  var sum = 0.0;
  for (var i = invocation; i < shape.headDim; i += INVOCATIONS) {
    let scaled = projected[shape.keys + row + first + i] * keyScale[first + i];
    sum += scaled * scaled;
  }
  sums[invocation] = sum;
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { sums[invocation] += sums[invocation + half]; }
  }
  workgroupBarrier();
  let length = max(sqrt(sums[0]), 1e-12);
  for (var i = invocation; i < shape.headDim; i += INVOCATIONS) {
    let column = first + i;
    let key = projected[shape.keys + row + column];
    // The exponent is bounded: e^88 is finite in f32, and beyond it the quotient is 0 anyway.
    let rate = 1.0 / (1.0 + exp(min(-(projected[shape.rates + row + column] + rateBias[column]), 88.0)));
    let direction = key * keyScale[column] / length;
    vectors[3u * row + shape.columns + column] = key * (1.0 + (rate - 1.0) * keyRate[column]);
    let place = 2u * (row + first) + i;
    erasers[place] = direction / decays[row + column];
    erasers[place + shape.headDim] = direction * rate;
  }
}
