// Reads keys and values stored in 8 bits, in the place of kv_load.wgsl. A vector is headDim / 4 units of
// four signed integers, and one word more: the f32 scale that they are multiplied by (EIGHT_BIT).
alias KvUnit = u32;
fn widen0(unit: KvUnit) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(unit)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}
