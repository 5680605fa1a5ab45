// Matrix product of a few rows on a GPU: the decode kernel. A workgroup reads 32 columns in slices along
// the inputs, every load a full cache line, and adds the slices up in workgroup memory.
//
// output[row][output_offset + column] (+)= Σ_k input[row][k] · W[column][k]
//   input  f32 [rows][inputs], output f32 [rows][output_stride]; weights as in matmul_weights.wgsl.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales.
// Mapping: workgroup (x, y) = columns 32x … 32x+31 of rows ROWS·y …; thread (column, slice) takes blocks
// slice, slice + SLICES, …. TILE is a multiple of 32.
// Reference: multiply in engine/reference/matmul.ts. Texts: matmul_weights.wgsl.

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

var<workgroup> partial: array<f32, 32 * SLICES * ROWS>;

@compute @workgroup_size(32, SLICES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>) {
  let first_column = group.x * 32u;
  let column = first_column + thread.x;
  let place = column_at(column);
  let first_row = group.y * ROWS;
  let last_row = step.rows - 1u;
//@unroll r ROWS
  let input_start$r = min(first_row + $ru, last_row) * (shape.inputs / 4u);
  var sum$r = 0.0;
//@end
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
//@unroll r ROWS
      sum$r += dot(weight, input[input_start$r + block * 8u + quad]);
//@end
    }
//@end
//@end
  }
//@unroll r ROWS
  partial[($ru * SLICES + thread.y) * 32u + thread.x] = sum$r;
//@end
  workgroupBarrier();
  // Slice y adds up row y, y + SLICES, … of the tile.
  for (var r = thread.y; r < ROWS; r += SLICES) {
    if (column < shape.outputs && first_row + r < step.rows) {
      var sum = 0.0;
      for (var slice = 0u; slice < SLICES; slice++) { sum += partial[(r * SLICES + slice) * 32u + thread.x]; }
      let index = (first_row + r) * shape.output_stride + shape.output_offset + column;
      if (shape.accumulate == 1u) { output[index] += sum; } else { output[index] = sum; }
    }
  }
}
