// Softmax attention of a step's rows over what their key head has kept, its window, and the step's own rows:
//     output[row][head] = Σ softmax(q · k) v   over tokens at or before the row that it still sees (see evict_plan.wgsl)
// Shapes: queries, output [rows][heads][units] vec4, queries scaled; cache [kvHead][slots][2][units], key then value;
//   until [kvHead][slots + maxRows]; keys, values
//   [kvHead][maxRows][units], row i in slot (position + i) % maxRows.
// Bindings: 0 step, 1 shape, 2 queries, 3 cache, 4 until, 5 keys, 6 values, 7 output.
// Mapping: workgroup x = row, y = head.
// Constants: INVOCATIONS (at least the units of a head). Reference: keptTokens in
//   engine/reference/evicting.ts. Texts: attention_places.wgsl.

struct Step { rows: u32, position: u32 }
struct Shape { heads: u32, kvHeads: u32, slots: u32, maxRows: u32, units: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> cache: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> until: array<u32>;
@group(0) @binding(5) var<storage, read> keys: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> output: array<vec4<f32>>;

var<private> row: u32;
var<private> kvHead: u32;
var<private> query: u32;

fn place_of_row(index: u32) -> u32 { return (kvHead * shape.maxRows + (step.position + index) % shape.maxRows) * shape.units; }

fn score_of(source: u32) -> f32 {
  if (step.position + row >= until[kvHead * (shape.slots + shape.maxRows) + source]) { return unseen; }
  var product = vec4<f32>();
  if (source < shape.slots) {
    let key = (kvHead * shape.slots + source) * 2u * shape.units;
    for (var unit = 0u; unit < shape.units; unit++) { product += queries[query + unit] * cache[key + unit]; }
  } else {
    let key = place_of_row(source - shape.slots);
    for (var unit = 0u; unit < shape.units; unit++) { product += queries[query + unit] * keys[key + unit]; }
  }
  return dot(product, vec4<f32>(1.0));
}

fn value_at(source: u32, unit: u32) -> vec4<f32> {
  if (source < shape.slots) { return cache[((kvHead * shape.slots + source) * 2u + 1u) * shape.units + unit]; }
  return values[place_of_row(source - shape.slots) + unit];
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  row = workgroup.x;
  kvHead = workgroup.y / (shape.heads / shape.kvHeads);
  query = (workgroup.x * shape.heads + workgroup.y) * shape.units;
  let attended = attend(shape.slots + workgroup.x + 1u, shape.units, invocation);
  if (invocation < shape.units) { output[query + invocation] = attended.value; }
}
