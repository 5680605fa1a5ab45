// The sketch's rotation, of VECTORS vectors at once in workgroup memory: fixed pseudo-random signs, then a
// Walsh-Hadamard transform over each block of BLOCK dimensions, a power of two that divides HEAD_DIM.
// A rotation keeps inner products and spreads outliers over all dimensions, so that few bits suffice
// (QuaRot, arXiv 2404.00456; RaBitQ, arXiv 2405.12497).
// Constants: INVOCATIONS, VECTORS, HEAD_DIM, BLOCK.
// Reference: rotate in engine/reference/retrieval/sketch.ts.

const INVERSE_ROOT = inverseSqrt(f32(BLOCK));

var<workgroup> rotated: array<f32, VECTORS * HEAD_DIM>;

// What a dimension is multiplied by when it is put into `rotated`: its sign (the last bit of a hash of
// its index) and the transform's 1/√BLOCK.
fn signed(dimension: u32) -> f32 {
  var x = dimension * 0x9e3779b9u + 0x7f4a7c15u;
  x = (x ^ (x >> 16u)) * 0x7feb352du;
  x = (x ^ (x >> 15u)) * 0x846ca68bu;
  x ^= x >> 16u;
  return select(INVERSE_ROOT, -INVERSE_ROOT, (x & 1u) == 1u);
}

// Transforms `rotated` in place. A barrier at the start and at the end. `block` is BLOCK, but not known to the
// compiler: some unroll loops around barriers, and then compile for seconds.
fn transform(block: u32, invocation: u32) {
  for (var level = 0u; (1u << level) < block; level++) {
    let half = 1u << level;
    workgroupBarrier();
    for (var pair = invocation; pair < VECTORS * HEAD_DIM / 2u; pair += INVOCATIONS) {
      let low = ((pair >> level) << (level + 1u)) | (pair & (half - 1u));
      let a = rotated[low];
      let b = rotated[low + half];
      rotated[low] = a + b;
      rotated[low + half] = a - b;
    }
  }
  workgroupBarrier();
}
