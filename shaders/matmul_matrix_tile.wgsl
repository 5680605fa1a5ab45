// Matrix product of many rows by subgroup matrices (tensor cores): the prefill kernel of GPUs that have them.
// A workgroup expands BLOCKS · 32 inputs of its columns to halves in workgroup memory; its subgroups multiply
// them with rows of halves, each a grid of fragments. The rows come through workgroup memory, too: fragments straight
// from a buffer are read a few bytes at a time, and again by every subgroup beside (93 instead of 168 TFLOP/s on an H200).
//
// output[row][output_offset + column] (+)= 2^exponent[row] · Σ_k input[row][k] · W[column][k]
//   input  f16 [rows][inputs + 8] with the row's exponent after its inputs, as halve_rows.wgsl writes them;
//   rows up to the end of the tile must exist, whatever they hold.
//   output f32 [rows][output_stride]; weights as in matmul_weights.wgsl.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales.
// Mapping: workgroup (x, y) = rows TILE_ROWS · x … of columns TILE_COLUMNS · y …, so that neighbours share
// weights. Subgroup s has fragments of rows s / SUBGROUP_COLUMNS and columns s % SUBGROUP_COLUMNS.
// Where SUM_HALF, fragments add up in f16 for SUM_STEPS steps and the sums go on in f32.
// What the next step needs is fetched into registers while this one is multiplied. Two buffers of workgroup memory, which
// save one of the two barriers of a step but hold half as many inputs, were slower.
// Constants: M, N, K (the shape of a fragment), LANES, SUBGROUP_COLUMNS, ROW_FRAGMENTS, COLUMN_FRAGMENTS,
// TILE_ROWS, TILE_COLUMNS, THREADS, SUBGROUPS, BLOCKS, STEPS = 32 · BLOCKS / K, SUM_HALF, SUM_STEPS,
// ITEMS = blocks of weights a thread expands in a step, OCTETS = of eight inputs it stages,
// SPAN_FRAGMENTS beside each other whose sums leave together, SPANS = COLUMN_FRAGMENTS / SPAN_FRAGMENTS,
// OWN = M · N · SPAN_FRAGMENTS / LANES. Aliases: Sum (f16 or f32).
// Reference: multiply in engine/reference/matmul.ts, to the precision of halves. Texts: matmul_weights.wgsl.

// Octets: eight halves, so that memory is read and written 16 bytes at a time.
@group(0) @binding(2) var<storage, read> input: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

// Of the inputs of a step.
const DEPTH = 4u * BLOCKS;
// An octet beyond the inputs keeps rows and columns 16 bytes apart in the banks of the memory.
const PITCH = DEPTH + 1u;
// The fragments of a row that leave together, as a subgroup lays them out for its lanes.
const SPAN = N * SPAN_FRAGMENTS;

var<workgroup> weights: array<vec4<u32>, TILE_COLUMNS * PITCH>;
var<workgroup> rows: array<vec4<u32>, TILE_ROWS * PITCH>;
var<workgroup> sums: array<Sum, SUBGROUPS * M * SPAN>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let subgroup = thread / LANES;
  let lane = thread % LANES;
  let tile_row = group.x * TILE_ROWS;
  let subgroup_row = (subgroup / SUBGROUP_COLUMNS) * (M * ROW_FRAGMENTS);
  let tile_column = group.y * TILE_COLUMNS;
  let subgroup_column = (subgroup % SUBGROUP_COLUMNS) * (N * COLUMN_FRAGMENTS);
  let row_pitch = shape.inputs / 8u + 1u;
  let staged = subgroup * (M * SPAN);
//@unroll i ROW_FRAGMENTS
//@unroll j COLUMN_FRAGMENTS
  var part$i_$j: subgroup_matrix_result<Sum, N, M>;
//@end
//@if SUM_HALF
//@unroll g SPANS
//@unroll e OWN
  var sum$i_$g_$e = 0.0;
//@end
//@end
//@end
//@end
  // Neighbouring threads expand neighbouring columns.
//@unroll i ITEMS
  let column$i = column_at(min(tile_column + (thread + $iu * THREADS) % TILE_COLUMNS, shape.outputs - 1u));
  let own_block$i = min((thread + $iu * THREADS) / TILE_COLUMNS, BLOCKS - 1u);
  var record$i = scale_record(column$i, own_block$i);
//@unroll u UNITS
  var unit$i_$u = code_unit(column$i, own_block$i * UNITS + $uu);
//@end
//@end
  // Neighbouring threads stage neighbouring octets of a row.
//@unroll o OCTETS
  let source$o = (tile_row + (thread + $ou * THREADS) / DEPTH) * row_pitch + (thread + $ou * THREADS) % DEPTH;
  var octet$o = input[source$o];
//@end
//@if SUM_HALF
  var steps = 0u;
//@end
  for (var block = 0u; block < shape.blocks; block += BLOCKS) {
//@unroll i ITEMS
    if (thread + $iu * THREADS < TILE_COLUMNS * BLOCKS) {
      let place = ((thread + $iu * THREADS) % TILE_COLUMNS) * PITCH + own_block$i * 4u;
//@unroll o 4
      {
        let scale = scale_of(record$i, $ou / 2u);
//@if CODES32
        let low = field0(unit$i_$[ $o * 2 ], scale);
        let high = field0(unit$i_$[ $o * 2 + 1 ], scale);
//@else
        let low = field$[ $o * 2 % FIELDS ](unit$i_$[ $o * 2 / FIELDS ], scale);
        let high = field$[ $o * 2 % FIELDS + 1 ](unit$i_$[ $o * 2 / FIELDS ], scale);
//@end
        weights[place + $ou] = vec4<u32>(pack2x16float(low.xy), pack2x16float(low.zw), pack2x16float(high.xy), pack2x16float(high.zw));
      }
//@end
    }
//@end
//@unroll o OCTETS
    rows[((thread + $ou * THREADS) / DEPTH) * PITCH + (thread + $ou * THREADS) % DEPTH] = octet$o;
//@end
    workgroupBarrier();
    let next = block + BLOCKS;
    if (next < shape.blocks) {
//@unroll i ITEMS
      record$i = scale_record(column$i, next + own_block$i);
//@unroll u UNITS
      unit$i_$u = code_unit(column$i, (next + own_block$i) * UNITS + $uu);
//@end
//@end
//@unroll o OCTETS
      octet$o = input[source$o + next * 4u];
//@end
    }
//@unroll s STEPS
    {
//@unroll i ROW_FRAGMENTS
      let left$i = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&rows, (subgroup_row + $iu * M) * PITCH + $su * K / 8u, PITCH);
//@end
//@unroll j COLUMN_FRAGMENTS
      {
        let right = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, col_major>(&weights, (subgroup_column + $ju * N) * PITCH + $su * K / 8u, PITCH);
//@unroll i ROW_FRAGMENTS
        part$i_$j = subgroupMatrixMultiplyAccumulate(left$i, right, part$i_$j);
//@end
      }
//@end
    }
//@end
    workgroupBarrier();
//@if SUM_HALF
    steps++;
    if (next >= shape.blocks || steps % SUM_STEPS == 0u) {
//@unroll i ROW_FRAGMENTS
//@unroll g SPANS
//@unroll j SPAN_FRAGMENTS
      subgroupMatrixStore<row_major>(&sums, staged + $ju * N, part$i_$[ $g * SPAN_FRAGMENTS + $j ], SPAN);
      part$i_$[ $g * SPAN_FRAGMENTS + $j ] = subgroup_matrix_result<Sum, N, M>();
//@end
      workgroupBarrier();
//@unroll e OWN
      sum$i_$g_$e += f32(sums[staged + $eu * LANES + lane]);
//@end
      workgroupBarrier();
//@end
//@end
    }
//@end
  }
//@unroll i ROW_FRAGMENTS
//@unroll g SPANS
//@if !SUM_HALF
//@unroll j SPAN_FRAGMENTS
  subgroupMatrixStore<row_major>(&sums, staged + $ju * N, part$i_$[ $g * SPAN_FRAGMENTS + $j ], SPAN);
//@end
  workgroupBarrier();
//@end
//@unroll e OWN
  {
    let row = tile_row + subgroup_row + $iu * M + ($eu * LANES + lane) / SPAN;
    let column = tile_column + subgroup_column + $gu * SPAN + ($eu * LANES + lane) % SPAN;
//@if SUM_HALF
    let own = sum$i_$g_$e;
//@else
    let own = f32(sums[staged + $eu * LANES + lane]);
//@end
    if (row < step.rows && column < shape.outputs) {
      let exponent = i32(unpack2x16float(input[row * row_pitch + shape.inputs / 8u].x).x);
      let sum = own * bitcast<f32>(u32(127 + exponent) << 23u);
      let place = row * shape.output_stride + shape.output_offset + column;
      if (shape.accumulate == 1u) { output[place] += sum; } else { output[place] = sum; }
    }
  }
//@end
//@if !SUM_HALF
  workgroupBarrier();
//@end
//@end
//@end
}
