// Means of the keys and values of whole blocks, from the first block that a step may have completed on.
// Shapes: keys, values [kvHead][capacity][units] vec4, token p in slot p; means [kvHead][blocks][2][units].
// Bindings: 0 step, 1 shape, 2 range, 3 keys, 4 values, 5 means.
// Mapping: workgroup x = block, counted from the range's first, y = key head; an invocation a vec4 of key and value.
// Constants: INVOCATIONS. Reference: sparse attention in engine/reference/sparse.ts.

struct Step { rows: u32, position: u32 }
struct Shape { capacity: u32, blocks: u32, units: u32, blockTokens: u32 }
struct Range { first: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<uniform> range: Range;
@group(0) @binding(3) var<storage, read> keys: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> means: array<vec4<f32>>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let block = range.first + workgroup.x;
  if ((block + 1u) * shape.blockTokens > step.position + step.rows) { return; }
  let slot = workgroup.y * shape.capacity + block * shape.blockTokens;
  let mean = (workgroup.y * shape.blocks + block) * 2u * shape.units;
  for (var unit = invocation; unit < shape.units; unit += INVOCATIONS) {
    var key = vec4<f32>();
    var value = vec4<f32>();
    for (var token = 0u; token < shape.blockTokens; token++) {
      key += keys[(slot + token) * shape.units + unit];
      value += values[(slot + token) * shape.units + unit];
    }
    means[mean + unit] = key / f32(shape.blockTokens);
    means[mean + shape.units + unit] = value / f32(shape.blockTokens);
  }
}
