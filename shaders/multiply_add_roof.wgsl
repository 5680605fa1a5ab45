// How many multiplications and additions a second the adapter does at best: chains of them in
// registers, independent of each other, that load and store next to nothing.
// Shapes: numbers [≥ 4·INVOCATIONS] f32, read and written.
// Bindings: 0 numbers.
// Mapping: every invocation does the same; each loop turn is CHAINS · 16 products of vec4s.
// Constants: INVOCATIONS, CHAINS, TURNS, FUSED (fma instead of a product and a sum).

@group(0) @binding(0) var<storage, read_write> numbers: array<vec4<f32>>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(local_invocation_index) invocation: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
  // Loaded, so that nothing is known when compiling. The factor shrinks: nothing overflows.
  let start = numbers[invocation];
  let factor = start * 0.25 + 0.5;
//@unroll c CHAINS
  var sum$c = start + $c.0;
//@end
  for (var turn = 0u; turn < TURNS; turn++) {
//@unroll i 16
//@unroll c CHAINS
//@if FUSED
    sum$c = fma(sum$c, factor, start);
//@else
    sum$c = sum$c * factor + start;
//@end
//@end
//@end
  }
  var total = vec4<f32>();
//@unroll c CHAINS
  total += sum$c;
//@end
  // Never true, but only a run can know.
  if (total.x < -1e30) { numbers[invocation] = total; }
}
