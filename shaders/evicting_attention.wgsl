// Softmax attention of a step's rows over what their key head has kept, its window, and the step's own rows:
//     output[row][head] = Σ softmax(q · k) v   over tokens at or before the row that it still sees (see evict_plan.wgsl)
// Shapes: queries, output [rows][heads][units] vec4, queries scaled; cache [kvHead][slots][2][units], key then value;
//   until [kvHead][slots + maxRows]; keys, values
//   [kvHead][maxRows][units], row i in slot (position + i) % maxRows.
// Bindings: 0 step, 1 shape, 2 queries, 3 cache, 4 until, 5 keys, 6 values, 7 output.
// Mapping: workgroup x = row, y = head. Tokens go by in tiles, an invocation a key of the tile, then a vec4 of the output.
// Constants: INVOCATIONS (at least the units of a head). Reference: evicting attention in engine/reference/evicting.ts.

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

const unseen = -3e38;

var<workgroup> scores: array<f32, INVOCATIONS>;
var<workgroup> weights: array<f32, INVOCATIONS>;

fn rowPlace(kvHead: u32, row: u32) -> u32 { return (kvHead * shape.maxRows + (step.position + row) % shape.maxRows) * shape.units; }

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = workgroup.x;
  let position = step.position + row;
  let kvHead = workgroup.y / (shape.heads / shape.kvHeads);
  let query = (row * shape.heads + workgroup.y) * shape.units;
  let count = shape.slots + row + 1u;
  var top = unseen;
  var total = 0.0;
  var sum = vec4<f32>();
  for (var first = 0u; first < count; first += INVOCATIONS) {
    let source = first + invocation;
    var score = unseen;
    if (source < count && position < until[kvHead * (shape.slots + shape.maxRows) + source]) {
      var product = vec4<f32>();
      if (source < shape.slots) {
        let key = (kvHead * shape.slots + source) * 2u * shape.units;
        for (var unit = 0u; unit < shape.units; unit++) { product += queries[query + unit] * cache[key + unit]; }
      } else {
        let key = rowPlace(kvHead, source - shape.slots);
        for (var unit = 0u; unit < shape.units; unit++) { product += queries[query + unit] * keys[key + unit]; }
      }
      score = dot(product, vec4<f32>(1.0));
    }
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
      let seen = first + one;
      if (seen < shape.slots) { sum += weight * cache[((kvHead * shape.slots + seen) * 2u + 1u) * shape.units + invocation]; }
      else { sum += weight * values[rowPlace(kvHead, seen - shape.slots) + invocation]; }
    }
    top = best;
  }
  if (invocation < shape.units) { output[query + invocation] = sum / total; }
}
