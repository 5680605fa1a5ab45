// The activations of feed-forward layers, for the kernels that gate.
// Constants: GELU (tanh form; else SiLU). Reference: gate in engine/reference/gated.ts.

// x / (1 + e^(-y)). The exponent is bounded: e^88 is finite in f32, and beyond it the quotient is 0 anyway.
fn sigmoidTimes(x: vec4<f32>, y: vec4<f32>) -> vec4<f32> {
  return x / (1.0 + exp(min(-y, vec4<f32>(88.0))));
}

fn activate(x: vec4<f32>) -> vec4<f32> {
//@if GELU
  // ½x(1 + tanh z) = x · sigmoid(2z); WGSL's own tanh may overflow for large z.
  return sigmoidTimes(x, 1.5957691216 * (x + 0.044715 * x * x * x));
//@else
  return sigmoidTimes(x, x);
//@end
}
