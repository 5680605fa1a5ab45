// Rows of f32 as f16 for kernels that multiply halves: each row times a power of two, so that its largest
// value lies in [8, 16) and neither it nor sums of a few hundred products overflow.
//
// output[row] = halves(input[row] · 2^-exponent) | exponent | padding
//   input  f32 [rows][inputs], output f16 [rows][inputs + 8]; inputs divisible by 8.
// Bindings: 0 shape, 1 input, 2 output.
// Mapping: one workgroup a row; invocations stride over the row's units of 8.
// Constants: INVOCATIONS. Reference: halveRow in engine/reference/halve.ts.

struct Shape { units: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<u32>>;

var<workgroup> largest: array<f32, INVOCATIONS>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let source = workgroup.x * shape.units * 2u;
  let record = workgroup.x * (shape.units + 1u);
  var most = vec4<f32>(0.0);
  for (var quad = invocation; quad < shape.units * 2u; quad += INVOCATIONS) { most = max(most, abs(input[source + quad])); }
  largest[invocation] = max(max(most.x, most.y), max(most.z, most.w));
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { largest[invocation] = max(largest[invocation], largest[invocation + half]); }
  }
  workgroupBarrier();
  // Bits 23 to 30 are the exponent of the largest value; a row of zeros or of denormals is not scaled up.
  let biased = i32((bitcast<u32>(largest[0]) >> 23u) & 255u);
  let exponent = clamp(biased - 127 - 3, -100, 100);
  let scale = bitcast<f32>(u32(127 - exponent) << 23u);
  for (var unit = invocation; unit < shape.units; unit += INVOCATIONS) {
    let a = input[source + 2u * unit] * scale;
    let b = input[source + 2u * unit + 1u] * scale;
    output[record + unit] = vec4<u32>(pack2x16float(a.xy), pack2x16float(a.zw), pack2x16float(b.xy), pack2x16float(b.zw));
  }
  if (invocation == 0u) { output[record + shape.units] = vec4<u32>(pack2x16float(vec2<f32>(f32(exponent), 0.0)), 0u, 0u, 0u); }
}
