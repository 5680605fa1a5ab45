// a · b + c, rounded once where the adapter does that in one instruction.
// Constants: FUSED.
fn multiplyAdd(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>) -> vec4<f32> {
//@if FUSED
  return fma(a, b, c);
//@else
  return a * b + c;
//@end
}
