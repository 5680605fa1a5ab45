// Copies listed blocks of 64 keys and values, one behind the other, whatever their format.
// Shapes: keys, values [kvHead][capacitySlots][units] of 16 bytes, token p in slot p; list [kvHead][blockCapacity] u32;
//   gatheredKeys, gatheredValues [kvHead][gatheredSlots][units].
// Bindings: 0 shape, 1 list, 2 keys, 3 values, 4 gatheredKeys, 5 gatheredValues.
// Mapping: workgroup x = place in the list, y = key-value head.
// Reference: none, it copies.

struct Shape { capacitySlots: u32, gatheredSlots: u32, blockCapacity: u32, units: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> list: array<u32>;
@group(0) @binding(2) var<storage, read> keys: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> values: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> gatheredKeys: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> gatheredValues: array<vec4<u32>>;

const BLOCK_TOKENS = 64u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let kvHead = workgroup.y;
  let block = list[kvHead * shape.blockCapacity + workgroup.x];
  let source = (kvHead * shape.capacitySlots + block * BLOCK_TOKENS) * shape.units;
  let place = (kvHead * shape.gatheredSlots + workgroup.x * BLOCK_TOKENS) * shape.units;
  for (var i = invocation; i < BLOCK_TOKENS * shape.units; i += 64u) {
    gatheredKeys[place + i] = keys[source + i];
    gatheredValues[place + i] = values[source + i];
  }
}
