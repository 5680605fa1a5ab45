// Moves keys and values to where they lie after a step: slots of the cache are filled from its slots before, and from the
// step's own rows.
// Shapes: sources [kvHead][slots], see evict_plan.wgsl; cacheIn, cacheOut [kvHead][slots][2][units] vec4, key then value;
//   keys, values [kvHead][maxRows][units], row i in slot (position + i) % maxRows.
// Bindings: 0 step, 1 shape, 2 sources, 3 cacheIn, 4 keys, 5 values, 6 cacheOut.
// Mapping: an invocation a vec4 of a slot's key and value; y = slot, z = key head.
// Constants: INVOCATIONS. Reference: evicting attention in engine/reference/evicting.ts.

struct Step { rows: u32, position: u32 }
struct Shape { slots: u32, maxRows: u32, units: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sources: array<u32>;
@group(0) @binding(3) var<storage, read> cacheIn: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> keys: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> cacheOut: array<vec4<f32>>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let unit = workgroup.x * INVOCATIONS + invocation;
  if (unit >= 2u * shape.units) { return; }
  let head = workgroup.z;
  let slot = head * shape.slots + workgroup.y;
  let source = sources[slot];
  var value = vec4<f32>();
  if (source < shape.slots) { value = cacheIn[(head * shape.slots + source) * 2u * shape.units + unit]; }
  else if (source < shape.slots + step.rows) {
    let row = head * shape.maxRows + (step.position + source - shape.slots) % shape.maxRows;
    if (unit < shape.units) { value = keys[row * shape.units + unit]; } else { value = values[row * shape.units + unit - shape.units]; }
  }
  cacheOut[slot * 2u * shape.units + unit] = value;
}
