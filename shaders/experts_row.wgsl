// Products of single pairs (row, slot) with the expert that each chose, on a GPU: decoding, and few rows.
//
// output[pair][output_offset + column] = Σ_k input[pair / pairsPerInput][k] · W[choice[pair] · columns + column][k]
//   input f32 [pairs / pairsPerInput][inputs], output f32 [pairs][output_stride]; weights as in matmul_weights.wgsl, the
//   experts' columns one after another; this part has those from shape.first_column on.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales, 6 experts, 7 choice.
// Mapping: workgroup (x, y) = columns COLUMNS·x … of pair y; thread (column, slice) takes blocks slice, slice + SLICES, …
//   and the slices are added up in workgroup memory.
// Constants: COLUMNS, SLICES.
// Reference: multiplyChosen in engine/reference/experts.ts. Texts: matmul_weights.wgsl.

struct Experts {
  // Of one expert.
  columns: u32,
  pairsPerInput: u32,
}

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(6) var<uniform> experts: Experts;
@group(0) @binding(7) var<storage, read> choice: array<u32>;

var<workgroup> partial: array<f32, COLUMNS * SLICES>;

@compute @workgroup_size(COLUMNS, SLICES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>) {
  let pair = group.y;
  let column = group.x * COLUMNS + thread.x;
  // Wraps around below this part's first column, and is then too large as well.
  let stacked = choice[pair] * experts.columns + column - shape.first_column;
  let here = column < experts.columns && stacked < shape.outputs;
  var sum = 0.0;
  if (here) {
    let place = column_at(stacked);
    let input_start = (pair / experts.pairsPerInput) * (shape.inputs / 4u);
    for (var block = thread.y; block < shape.blocks; block += SLICES) {
      let record = scale_record(place, block);
//@unroll u UNITS
      let unit$u = code_unit(place, block * UNITS + $uu);
//@end
//@unroll u UNITS
//@unroll f FIELDS
      {
        const quad = $uu * FIELDS + $fu;
        let weight = field$f(unit$u, scale_of(record, quad / 4u));
        sum += dot(weight, input[input_start + block * 8u + quad]);
      }
//@end
//@end
    }
  }
  partial[thread.y * COLUMNS + thread.x] = sum;
  workgroupBarrier();
  if (thread.y > 0u) { return; }
  for (var slice = 1u; slice < SLICES; slice++) { sum += partial[slice * COLUMNS + thread.x]; }
  if (here) { output[pair * shape.output_stride + shape.output_offset + column] = sum; }
}
