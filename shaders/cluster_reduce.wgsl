// Sums and maxima over the invocations of a workgroup that holds a vector: invocation = slice · HEAD_UNITS + unit of
// four dimensions; those after the last slice hold nothing.
// Constants: INVOCATIONS >= HEAD_UNITS = headDim / 4, SLICES = INVOCATIONS / HEAD_UNITS.

var<workgroup> shared4: array<vec4<f32>, INVOCATIONS>;

/// The sum over the slices, in each invocation that of its unit.
fn addSlices(mine: vec4<f32>, invocation: u32) -> vec4<f32> {
  workgroupBarrier();
  shared4[invocation] = mine;
  workgroupBarrier();
  var sum = vec4<f32>();
  for (var slice = 0u; slice < SLICES; slice++) { sum += shared4[slice * HEAD_UNITS + invocation % HEAD_UNITS]; }
  return sum;
}

/// |x|² and the largest |x_i| of the vector whose units the first HEAD_UNITS invocations hold.
fn squaredLength(mine: vec4<f32>, invocation: u32) -> f32 {
  workgroupBarrier();
  shared4[invocation] = mine;
  workgroupBarrier();
  var sum = 0.0;
  for (var unit = 0u; unit < HEAD_UNITS; unit++) { sum += dot(shared4[unit], shared4[unit]); }
  return sum;
}

fn largestMagnitude(mine: vec4<f32>, invocation: u32) -> f32 {
  workgroupBarrier();
  shared4[invocation] = abs(mine);
  workgroupBarrier();
  var largest = vec4<f32>();
  for (var unit = 0u; unit < HEAD_UNITS; unit++) { largest = max(largest, shared4[unit]); }
  return max(max(largest.x, largest.y), max(largest.z, largest.w));
}
