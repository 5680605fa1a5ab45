// Repacks rows of plain numbers: halves and 32-bit floats as they are, bfloat16 as halves or as 32-bit floats.
// For repack.wgsl. As halves, bfloat16 also leaves how large the largest number is, and the largest loss.
// Constants: CODES16, CODES32 (one is true), FIELDS, BFLOAT, COUNTS_LOSS (bfloat16 as halves).

//@if COUNTS_LOSS
struct Extent {
  // Bits of numbers that are not negative, which are in the order of the numbers.
  largest: atomic<u32>,
  largest_loss: atomic<u32>,
}
@group(0) @binding(3) var<storage, read_write> extent: Extent;
//@end

fn repack_block(row: u32, block: u32, column: u32) {
  var largest = 0u;
  var largest_loss = 0u;
  for (var unit = 0u; unit < UNITS; unit++) {
    let input = 32u * block + 4u * FIELDS * unit;
    var words = vec4<u32>(0u);
    for (var lane = 0u; lane < 4u * FIELDS; lane++) {
      if (input + lane >= shape.inputs) { break; }
//@if CODES32
//@if BFLOAT
      words[lane] = source_half(row, input + lane) << 16u;
//@else
      words[lane] = bytes[row * shape.row_bytes / 4u + input + lane];
//@end
//@else
//@if BFLOAT
      let number = source_half(row, input + lane) << 16u;
      let half = half_of(number);
      largest = max(largest, number & 0x7fffffffu);
      largest_loss = max(largest_loss, loss_of(number, half));
//@else
      let half = source_half(row, input + lane);
//@end
      words[lane % 4u] |= half << (16u * (lane / 4u));
//@end
    }
    store_unit(column, block * UNITS + unit, words);
  }
//@if COUNTS_LOSS
  // Few find something larger than is known.
  if (atomicLoad(&extent.largest) < largest) { atomicMax(&extent.largest, largest); }
  if (atomicLoad(&extent.largest_loss) < largest_loss) { atomicMax(&extent.largest_loss, largest_loss); }
//@end
}

fn source_half(row: u32, input: u32) -> u32 {
  let at = row * shape.row_bytes + 2u * input;
  return (bytes[at / 4u] >> (8u * (at % 4u))) & 0xffffu;
}

//@if COUNTS_LOSS
// The bits of the half nearest to a bfloat16, ties to even; 8 bits of mantissa always fit a normal half.
fn half_of(number: u32) -> u32 {
  let sign = (number >> 16u) & 0x8000u;
  let size = number & 0x7fffffffu;
  if (size > 0x7f800000u) { return 0x7e00u; }
  // From 65520 on.
  if (size >= 0x477ff000u) { return sign | 0x7c00u; }
  if (size >= 0x38800000u) { return sign | ((size - 0x38000000u) >> 13u); }
  // Multiples of 2^-24: the mantissa with its leading one, shifted, half and a tie considered.
  let shift = 126u - (size >> 23u);
  if (shift > 25u) { return sign; }
  let mantissa = (size & 0x007fffffu) | 0x00800000u;
  let whole = mantissa >> shift;
  let rest = mantissa & ((1u << shift) - 1u);
  let middle = 1u << (shift - 1u);
  let up = rest > middle || (rest == middle && (whole & 1u) == 1u);
  return sign | (whole + select(0u, 1u, up));
}

// The bits of |number − half|; what is no number stays none.
fn loss_of(number: u32, half: u32) -> u32 {
  let size = number & 0x7fffffffu;
  if (size >= 0x7f800000u) { return 0x7fc00000u; }
  if ((half & 0x7fffu) == 0u) { return size; }
  return bitcast<u32>(abs(bitcast<f32>(size) - number_of_half(half & 0x7fffu)));
}
//@end
