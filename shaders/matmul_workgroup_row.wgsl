// Matrix product of a few rows on a GPU: the decode kernel. A workgroup reads its columns in slices along
// the inputs, every load whole sectors, and adds the slices up in workgroup memory. Inputs that a thread has
// loaded serve all its columns; scales are applied to sums of a block, not to weights.
//
// output[row][output_offset + column] (+)= Σ_k input[row][k] · W[column][k]
//   input  f32 [rows][inputs], output f32 [rows][output_stride]; weights as in matmul_weights.wgsl.
//   NORM: the input is first normalised, input[k] · gain[k] / sqrt(mean(input²) + epsilon), as normalise.wgsl does.
//   GATED: columns are gates and, outputs / 2 further on, what they let through; column c of the output becomes
//   activation(gate) · up, and the output's offset and stride are those of half as many columns.
// Bindings: 0 shape, 1 step, 2 input, 3 output, 4 codes, 5 scales; with NORM 6 gain.
// Mapping: workgroup (x, y) = columns LANES · COLUMNS · x … of rows ROWS · y …; thread (lane, slice) takes blocks
// slice, slice + SLICES, … of columns lane, lane + LANES, …. With GATED a thread's columns are pairs, LANES · x …
// and outputs / 2 further on, so COLUMNS counts both halves. TILE is a multiple of LANES · COLUMNS.
// Subgroups of FOLD · LANES threads add up the FOLD slices of a column that they hold; the rest meet in workgroup memory.
// Constants: ROWS, LANES, SLICES, COLUMNS, SUBGROUPS (of a workgroup, 0 where they are not used), FOLD (1 where they are
// smaller than LANES), PARTIALS (numbers in workgroup memory), INPUT_QUADS (with NORM: inputs / 4), NORM, GATED, GELU.
// Reference: multiply in engine/reference/matmul.ts, after normaliseRows and before gate. Texts: matmul_weights.wgsl
// and, with GATED, activation.wgsl.

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

const THREADS = LANES * SLICES;
// Sums of slices that are left to add up in workgroup memory.
const LEFT = SLICES / FOLD;
var<workgroup> partial: array<f32, PARTIALS>;

//@if NORM
@group(0) @binding(6) var<storage, read> gain: array<vec4<f32>>;
var<workgroup> normed: array<vec4<f32>, INPUT_QUADS>;

// Leaves input · gain in workgroup memory; the result is the factor that is still missing.
fn normalise_input(thread: u32) -> f32 {
  var squares = 0.0;
  for (var quad = thread; quad < INPUT_QUADS; quad += THREADS) {
    let x = input[quad];
    squares += dot(x, x);
    normed[quad] = x * gain[quad];
  }
//@if SUBGROUPS
  let own = subgroupAdd(squares);
  if (thread % (THREADS / SUBGROUPS) == 0u) { partial[thread / (THREADS / SUBGROUPS)] = own; }
  workgroupBarrier();
  var total = 0.0;
  for (var subgroup = 0u; subgroup < SUBGROUPS; subgroup++) { total += partial[subgroup]; }
  workgroupBarrier();
//@else
  partial[thread] = squares;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { partial[thread] += partial[thread + half]; }
  }
  workgroupBarrier();
  let total = partial[0];
  workgroupBarrier();
//@end
  return inverseSqrt(total / f32(shape.inputs) + shape.epsilon);
}
//@end

@compute @workgroup_size(LANES, SLICES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) thread: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
//@if GATED
  let outputs = shape.outputs / 2u;
  let first_column = group.x * (LANES * COLUMNS / 2u) + thread.x;
//@unroll c COLUMNS
  let place$c = column_at(min(first_column + ($cu / 2u) * LANES, outputs - 1u) + ($cu % 2u) * outputs);
//@end
//@else
  let outputs = shape.outputs;
  let first_column = group.x * (LANES * COLUMNS) + thread.x;
//@unroll c COLUMNS
  let place$c = column_at(min(first_column + $cu * LANES, outputs - 1u));
//@end
//@end
  let first_row = group.y * ROWS;
  let last_row = step.rows - 1u;
//@if NORM
  let factor = normalise_input(index);
//@else
  let factor = 1.0;
//@end
//@unroll r ROWS
  let input_start$r = min(first_row + $ru, last_row) * (shape.inputs / 4u);
//@unroll c COLUMNS
  var sum$r_$c = 0.0;
//@end
//@end
  for (var block = thread.y; block < shape.blocks; block += SLICES) {
//@unroll c COLUMNS
    let record$c = scale_record(place$c, block);
//@unroll u UNITS
    let unit$c_$u = code_unit(place$c, block * UNITS + $uu);
//@end
//@end
//@unroll r ROWS
    {
//@unroll q 8
//@if NORM
      let x$q = normed[block * 8u + $qu];
//@else
      let x$q = input[input_start$r + block * 8u + $qu];
//@end
//@end
//@if HAS_SCALES
//@unroll q 8
      let xsum$q = x$q.x + x$q.y + x$q.z + x$q.w;
//@end
      // Sums of the inputs of each half block, which the offsets multiply, and of those that meet a top field.
      let input_sum0 = (xsum0 + xsum1) + (xsum2 + xsum3);
      let input_sum1 = (xsum4 + xsum5) + (xsum6 + xsum7);
//@if CODES4
      let excess0 = 0.0;
//@else
      let excess0 = TOP_EXCESS * xsum3;
//@end
      let excess1 = TOP_EXCESS * xsum7;
//@else
      let excess0 = 0.0;
      let excess1 = 0.0;
//@end
//@unroll c COLUMNS
      {
        var part0 = excess0;
        var part1 = excess1;
//@unroll u UNITS
//@unroll f FIELDS
        {
          let unit = unit$c_$u;
          let numbers = vec4<f32>(number$f(unit.x), number$f(unit.y), number$f(unit.z), number$f(unit.w));
          part$[ $u * FIELDS / 4 + $f / 4 ] += dot(numbers, x$[ $u * FIELDS + $f ]) * shrink$f;
        }
//@end
//@end
//@if HAS_SCALES
//@if SPLIT_BLOCK
        let scale0 = scale_of(record$c, 0u);
        let scale1 = scale_of(record$c, 1u);
        sum$r_$c += part0 * scale0.x + input_sum0 * scale0.y + part1 * scale1.x + input_sum1 * scale1.y;
//@else
        let scale = scale_of(record$c, 0u);
        sum$r_$c += (part0 + part1) * scale.x + (input_sum0 + input_sum1) * scale.y;
//@end
//@else
        sum$r_$c += part0 + part1;
//@end
      }
//@end
    }
//@end
  }
//@if SUBGROUPS
  for (var apart = u32(LANES); apart < LANES * FOLD; apart *= 2u) {
//@unroll r ROWS
//@unroll c COLUMNS
    sum$r_$c += subgroupShuffleXor(sum$r_$c, apart);
//@end
//@end
  }
//@end
  if (thread.y % FOLD == 0u) {
//@unroll r ROWS
//@unroll c COLUMNS
    partial[(($ru * COLUMNS + $cu) * LEFT + thread.y / FOLD) * LANES + thread.x] = sum$r_$c;
//@end
//@end
  }
  workgroupBarrier();
  // The threads share the tile's results: a row, a lane and, with GATED, a pair of columns each.
  const PER_ROW = LANES * COLUMNS;
//@if GATED
  for (var item = index; item < ROWS * PER_ROW / 2u; item += THREADS) {
    let row = first_row + item / (PER_ROW / 2u);
    let in_tile = item % (PER_ROW / 2u);
    let column = group.x * (PER_ROW / 2u) + in_tile;
    if (column < outputs && row < step.rows) {
      let first = ((item / (PER_ROW / 2u)) * COLUMNS + 2u * (in_tile / LANES)) * LEFT * LANES + in_tile % LANES;
      var gate = 0.0;
      var up = 0.0;
      for (var slice = 0u; slice < LEFT; slice++) {
        gate += partial[first + slice * LANES];
        up += partial[first + (LEFT + slice) * LANES];
      }
      output[row * outputs + column] = activate(vec4<f32>(gate * factor)).x * (up * factor);
    }
  }
//@else
  for (var item = index; item < ROWS * PER_ROW; item += THREADS) {
    let row = first_row + item / PER_ROW;
    let in_tile = item % PER_ROW;
    let column = group.x * PER_ROW + in_tile;
    if (column < outputs && row < step.rows) {
      let first = ((item / PER_ROW) * COLUMNS + in_tile / LANES) * LEFT * LANES + in_tile % LANES;
      var sum = 0.0;
      for (var slice = 0u; slice < LEFT; slice++) { sum += partial[first + slice * LANES]; }
      let place = row * shape.output_stride + shape.output_offset + column;
      if (shape.accumulate == 1u) { output[place] += sum * factor; } else { output[place] = sum * factor; }
    }
  }
//@end
}
