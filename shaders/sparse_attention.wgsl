// The two attentions to single tokens of sparse layers, added to what the third has left:
//     output[row][head] += sigmoid(g₁) · attention to the chosen blocks + sigmoid(g₂) · attention to the last `window` tokens
// No row sees tokens behind it.
// Shapes: queries, output [rows][heads][units] vec4, queries scaled; keys, values [kvHead][capacity][units], token p in
//   slot p; gates [rows][heads][3]; chosen [rows][kvHeads][CHOSEN] block numbers, see block_choice.wgsl.
// Bindings: 0 step, 1 shape, 2 queries, 3 keys, 4 values, 5 gates, 6 chosen, 7 output.
// Mapping: workgroup x = row, y = head.
// Constants: INVOCATIONS (at least the units of a head), CHOSEN. Reference: sparseRow in
//   engine/reference/sparse.ts. Texts: attention_places.wgsl.

struct Step { rows: u32, position: u32 }
struct Shape { heads: u32, kvHeads: u32, capacity: u32, units: u32, blockTokens: u32, window: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> keys: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> gates: array<f32>;
@group(0) @binding(6) var<storage, read> chosen: array<u32>;
@group(0) @binding(7) var<storage, read_write> output: array<vec4<f32>>;

const none = 0xffffffffu;

var<private> position: u32;
var<private> branch: u32;
var<private> list: u32;
var<private> base: u32;
var<private> query: u32;

// The token in a place of what a branch goes through, or none.
fn token_at(place: u32) -> u32 {
  if (branch == 1u) {
    let token = position - min(position, shape.window - 1u) + place;
    return select(none, token, token <= position);
  }
  let block = chosen[list + place / shape.blockTokens];
  if (block == none) { return none; }
  let token = block * shape.blockTokens + place % shape.blockTokens;
  return select(none, token, token <= position);
}

fn score_of(place: u32) -> f32 {
  let token = token_at(place);
  if (token == none) { return unseen; }
  let key = (base + token) * shape.units;
  var product = vec4<f32>();
  for (var unit = 0u; unit < shape.units; unit++) { product += queries[query + unit] * keys[key + unit]; }
  return dot(product, vec4<f32>(1.0));
}

fn value_at(place: u32, unit: u32) -> vec4<f32> { return values[(base + token_at(place)) * shape.units + unit]; }

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = workgroup.x;
  let kvHead = workgroup.y / (shape.heads / shape.kvHeads);
  position = step.position + row;
  list = (row * shape.kvHeads + kvHead) * CHOSEN;
  base = kvHead * shape.capacity;
  query = (row * shape.heads + workgroup.y) * shape.units;
  var result = vec4<f32>();
  for (var one = 0u; one < 2u; one++) {
    branch = one;
    let attended = attend(select(CHOSEN * shape.blockTokens, min(step.position + row + 1u, shape.window), one == 1u), shape.units, invocation);
    let gate = 1.0 / (1.0 + exp(min(-gates[(row * shape.heads + workgroup.y) * 3u + 1u + one], 88.0)));
    result += gate * attended.value;
  }
  if (invocation < shape.units) { output[query + invocation] += result; }
}
