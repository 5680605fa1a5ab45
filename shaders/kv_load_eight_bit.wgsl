// Reads keys and values stored in 8 bits, in the place of kv_load.wgsl. A vector is headDim / 4 units of
// four signed integers, and one word more: the f32 scale that they are multiplied by (EIGHT_BIT).
// Constants: BY_BITS: a byte becomes the last one of 2^23 + byte, from which that is taken off again: the same number, but GPUs
// turn integers into floats at a fraction of the rate of everything else.
alias KvUnit = u32;
fn widen0(unit: KvUnit) -> vec4<f32> {
//@if BY_BITS
  let offset = (vec4<u32>(unit ^ 0x80808080u) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
  return bitcast<vec4<f32>>(offset | vec4<u32>(0x4b000000u)) - 8388736.0;
//@else
  return vec4<f32>((vec4<i32>(bitcast<i32>(unit)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
//@end
}
