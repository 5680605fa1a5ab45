// Matrix product of many rows by subgroup matrices (tensor cores): the prefill kernel of GPUs that have them.
// A workgroup expands BLOCKS · 32 inputs of its columns to halves in workgroup memory; its subgroups multiply
// them with rows of halves, each a grid of fragments.
//
// output[row][output_offset + column] (+)= 2^exponent[row] · Σ_k input[row][k] · W[column][k]
//   input  f16 [rows][inputs + 8] with the row's exponent after its inputs, as halve_rows.wgsl writes them;
//   rows up to the end of the tile must exist, whatever they hold.
//   output f32 [rows][output_stride]; weights as in matmul_weights.wgsl.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales.
// Mapping: workgroup (x, y) = rows TILE_ROWS · x … of columns TILE_COLUMNS · y …, so that neighbours share
// weights. Subgroup s has fragments of rows s / SUBGROUP_COLUMNS and columns s % SUBGROUP_COLUMNS.
// Where SUM_HALF, fragments add up in f16 for SUM_STEPS steps and the sums go on in f32.
// Constants: M, N, K (the shape of a fragment), LANES, SUBGROUP_COLUMNS, ROW_FRAGMENTS, COLUMN_FRAGMENTS,
// TILE_ROWS, TILE_COLUMNS, THREADS, SUBGROUPS, BLOCKS, STEPS = 32 · BLOCKS / K, SUM_HALF, SUM_STEPS,
// OWN = M · N · COLUMN_FRAGMENTS / LANES. Aliases: Sum (f16 or f32).
// Reference: multiply in engine/reference/matmul.ts, to the precision of halves. Texts: matmul_weights.wgsl.

@group(0) @binding(2) var<storage, read> input: array<f16>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

// Eight halves beyond the inputs keep columns 16 bytes apart in the banks of the memory.
const PITCH = 32u * BLOCKS + 8u;
// A row of fragments, as a subgroup lays it out for its lanes.
const SPAN = N * COLUMN_FRAGMENTS;

var<workgroup> weights: array<f16, TILE_COLUMNS * PITCH>;
var<workgroup> sums: array<Sum, SUBGROUPS * M * SPAN>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let subgroup = thread / LANES;
  let lane = thread % LANES;
  let first_row = group.x * TILE_ROWS + (subgroup / SUBGROUP_COLUMNS) * (M * ROW_FRAGMENTS);
  let tile_column = group.y * TILE_COLUMNS;
  let subgroup_column = (subgroup % SUBGROUP_COLUMNS) * SPAN;
  let row_pitch = shape.inputs + 8u;
  let staged = subgroup * (M * SPAN);
//@unroll i ROW_FRAGMENTS
//@unroll j COLUMN_FRAGMENTS
  var part$i_$j: subgroup_matrix_result<Sum, N, M>;
//@end
//@unroll e OWN
  var sum$i_$e = 0.0;
//@end
//@end
  var steps = 0u;
  for (var block = 0u; block < shape.blocks; block += BLOCKS) {
    // Neighbouring threads expand neighbouring columns.
    for (var item = thread; item < TILE_COLUMNS * BLOCKS; item += THREADS) {
      let in_tile = item % TILE_COLUMNS;
      let own_block = item / TILE_COLUMNS;
      let column = column_at(min(tile_column + in_tile, shape.outputs - 1u));
      let record = scale_record(column, block + own_block);
      let place = in_tile * PITCH + own_block * 32u;
//@unroll u UNITS
      {
        let unit = code_unit(column, (block + own_block) * UNITS + $uu);
//@unroll f FIELDS
        {
          const quad = $uu * FIELDS + $fu;
          let weight = field$f(unit, scale_of(record, quad / 4u));
          weights[place + 4u * quad] = f16(weight.x);
          weights[place + 4u * quad + 1u] = f16(weight.y);
          weights[place + 4u * quad + 2u] = f16(weight.z);
          weights[place + 4u * quad + 3u] = f16(weight.w);
        }
//@end
      }
//@end
    }
    workgroupBarrier();
//@unroll s STEPS
    {
//@unroll i ROW_FRAGMENTS
      let left$i = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&input, (first_row + $iu * M) * row_pitch + block * 32u + $su * K, row_pitch);
//@end
//@unroll j COLUMN_FRAGMENTS
      {
        let right = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, col_major>(&weights, (subgroup_column + $ju * N) * PITCH + $su * K, PITCH);
//@unroll i ROW_FRAGMENTS
        part$i_$j = subgroupMatrixMultiplyAccumulate(left$i, right, part$i_$j);
//@end
      }
//@end
    }
//@end
    workgroupBarrier();
    steps++;
    if (block + BLOCKS >= shape.blocks || (SUM_HALF && steps % SUM_STEPS == 0u)) {
//@unroll i ROW_FRAGMENTS
//@unroll j COLUMN_FRAGMENTS
      subgroupMatrixStore<row_major>(&sums, staged + $ju * N, part$i_$j, SPAN);
      part$i_$j = subgroup_matrix_result<Sum, N, M>();
//@end
      workgroupBarrier();
//@unroll e OWN
      sum$i_$e += f32(sums[staged + $eu * LANES + lane]);
//@end
      workgroupBarrier();
//@end
    }
  }
//@unroll i ROW_FRAGMENTS
//@unroll e OWN
  {
    let row = first_row + $iu * M + ($eu * LANES + lane) / SPAN;
    let column = tile_column + subgroup_column + ($eu * LANES + lane) % SPAN;
    if (row < step.rows && column < shape.outputs) {
      let exponent = i32(input[row * row_pitch + shape.inputs]);
      let sum = sum$i_$e * bitcast<f32>(u32(127 + exponent) << 23u);
      let place = row * shape.output_stride + shape.output_offset + column;
      if (shape.accumulate == 1u) { output[place] += sum; } else { output[place] = sum; }
    }
  }
//@end
//@end
}
