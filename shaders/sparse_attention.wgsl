// The two attentions to single tokens of sparse layers, added to what the third has left:
//     output[row][head] += sigmoid(g₁) · attention to the chosen blocks + sigmoid(g₂) · attention to the last `window` tokens
// No row sees tokens behind it.
// Shapes: queries, output [rows][heads][units] vec4, queries scaled; keys, values [kvHead][capacity][units], token p in
//   slot p; gates [rows][heads][3]; chosen [rows][kvHeads][CHOSEN] block numbers, see block_choice.wgsl.
// Bindings: 0 step, 1 shape, 2 queries, 3 keys, 4 values, 5 gates, 6 chosen, 7 output.
// Mapping: workgroup x = row, y = head. Tokens go by in tiles, an invocation a key of the tile, then a vec4 of the output.
// Constants: INVOCATIONS (at least the units of a head), CHOSEN. Reference: sparse attention in engine/reference/sparse.ts.

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

const unseen = -3e38;
const none = 0xffffffffu;

var<workgroup> scores: array<f32, INVOCATIONS>;
var<workgroup> weights: array<f32, INVOCATIONS>;

// The token in a place of what a branch goes through, or none.
fn tokenAt(branch: u32, list: u32, position: u32, place: u32) -> u32 {
  if (branch == 1u) {
    let token = position - min(position, shape.window - 1u) + place;
    return select(none, token, token <= position);
  }
  let slot = place / shape.blockTokens;
  if (slot >= CHOSEN) { return none; }
  let block = chosen[list + slot];
  if (block == none) { return none; }
  let token = block * shape.blockTokens + place % shape.blockTokens;
  return select(none, token, token <= position);
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = workgroup.x;
  let position = step.position + row;
  let kvHead = workgroup.y / (shape.heads / shape.kvHeads);
  let query = (row * shape.heads + workgroup.y) * shape.units;
  let list = (row * shape.kvHeads + kvHead) * CHOSEN;
  let base = kvHead * shape.capacity;
  var result = vec4<f32>();
  for (var branch = 0u; branch < 2u; branch++) {
    let count = select(CHOSEN * shape.blockTokens, min(position + 1u, shape.window), branch == 1u);
    var top = unseen;
    var total = 0.0;
    var sum = vec4<f32>();
    for (var first = 0u; first < count; first += INVOCATIONS) {
      let token = tokenAt(branch, list, position, first + invocation);
      var score = unseen;
      if (token != none) {
        let key = (base + token) * shape.units;
        var product = vec4<f32>();
        for (var unit = 0u; unit < shape.units; unit++) { product += queries[query + unit] * keys[key + unit]; }
        score = dot(product, vec4<f32>(1.0));
      }
      workgroupBarrier();
      scores[invocation] = score;
      workgroupBarrier();
      var best = top;
      for (var one = 0u; one < INVOCATIONS; one++) { best = max(best, scores[one]); }
      weights[invocation] = select(exp(score - best), 0.0, score == unseen);
      workgroupBarrier();
      let shrunk = exp(top - best);
      total *= shrunk;
      sum *= shrunk;
      for (var one = 0u; one < INVOCATIONS; one++) {
        let weight = weights[one];
        total += weight;
        if (weight == 0.0 || invocation >= shape.units) { continue; }
        sum += weight * values[(base + tokenAt(branch, list, position, first + one)) * shape.units + invocation];
      }
      top = best;
    }
    let gate = 1.0 / (1.0 + exp(min(-gates[(row * shape.heads + workgroup.y) * 3u + 1u + branch], 88.0)));
    result += gate * sum / total;
  }
  if (invocation < shape.units) { output[query + invocation] += result; }
}
