// Exact merge of partial attention over disjoint sets of keys, by log-sum-exp:
//     M = max_s lse_s;  output = Σ_s e^(lse_s - M) · o_s / Σ_s e^(lse_s - M)
// A part without keys has lse = -1e30 and counts for nothing; if all are empty the output is 0.
// Shapes: partials [split][vectors][headDim] f32, logSumExps [split][vectors] f32,
//   output [vectors][headDim] f32; vectors = rows·heads.
// Bindings: 0 shape, 1 partials, 2 logSumExps, 3 output.
// Mapping: workgroup x = vector; invocations stride over its units of four dimensions.
// Constants: INVOCATIONS.
// Reference: mergePartials in engine/reference/attention.ts.

struct Shape { splits: u32, vectors: u32, headUnits: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> logSumExps: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let vector = workgroup.x;
  var highest = -1e30;
  for (var s = 0u; s < shape.splits; s++) { highest = max(highest, logSumExps[s * shape.vectors + vector]); }
  var total = 0.0;
  for (var s = 0u; s < shape.splits; s++) {
    let lse = logSumExps[s * shape.vectors + vector];
    total += select(0.0, exp(max(lse - highest, -88.0)), lse > -1e29);
  }
  let scale = select(0.0, 1.0 / total, total > 0.0);
  for (var unit = invocation; unit < shape.headUnits; unit += INVOCATIONS) {
    var o = vec4<f32>();
    for (var s = 0u; s < shape.splits; s++) {
      let lse = logSumExps[s * shape.vectors + vector];
      let weight = select(0.0, exp(max(lse - highest, -88.0)), lse > -1e29);
      o += weight * partials[(s * shape.vectors + vector) * shape.headUnits + unit];
    }
    output[vector * shape.headUnits + unit] = o * scale;
  }
}
