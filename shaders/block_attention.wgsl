// Attention of a step's rows to the means of whole blocks, and how much each block got from the heads of its group:
//     output[row][head] = sigmoid(gate) · Σ softmax(q · mean key) · mean value;  importance[row][kvHead][block] = Σ_heads softmax
// A row sees blocks that end at or before it; where there are none its output is 0.
// Shapes: queries, output [rows][heads][units] vec4, queries scaled; means [kvHead][blocks][2][units]; gates [rows][heads][3];
//   importance [rows][kvHeads][blocks] f32.
// Bindings: 0 step, 1 shape, 2 queries, 3 means, 4 gates, 5 importance, 6 output.
// Mapping: workgroup x = row, y = key head, whose heads it takes one after another. Blocks go by in tiles, an invocation a
//   block of the tile, then a vec4 of the output.
// Constants: INVOCATIONS (at least the units of a head). Reference: sparse attention in engine/reference/sparse.ts.

struct Step { rows: u32, position: u32 }
struct Shape { heads: u32, kvHeads: u32, blocks: u32, units: u32, blockTokens: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> means: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> gates: array<f32>;
@group(0) @binding(5) var<storage, read_write> importance: array<f32>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4<f32>>;

const unseen = -3e38;

var<workgroup> scores: array<f32, INVOCATIONS>;
var<workgroup> weights: array<f32, INVOCATIONS>;

fn scoreOf(query: u32, kvHead: u32, block: u32) -> f32 {
  let key = (kvHead * shape.blocks + block) * 2u * shape.units;
  var product = vec4<f32>();
  for (var unit = 0u; unit < shape.units; unit++) { product += queries[query + unit] * means[key + unit]; }
  return dot(product, vec4<f32>(1.0));
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = workgroup.x;
  let kvHead = workgroup.y;
  let group = shape.heads / shape.kvHeads;
  let seen = (step.position + row + 1u) / shape.blockTokens;
  let own = (row * shape.kvHeads + kvHead) * shape.blocks;
  for (var member = 0u; member < group; member++) {
    let head = kvHead * group + member;
    let query = (row * shape.heads + head) * shape.units;
    var top = unseen;
    var total = 0.0;
    var sum = vec4<f32>();
    for (var first = 0u; first < seen; first += INVOCATIONS) {
      var score = unseen;
      if (first + invocation < seen) { score = scoreOf(query, kvHead, first + invocation); }
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
        sum += weight * means[((kvHead * shape.blocks + first + one) * 2u + 1u) * shape.units + invocation];
      }
      top = best;
    }
    let gate = 1.0 / (1.0 + exp(min(-gates[(row * shape.heads + head) * 3u], 88.0)));
    if (invocation < shape.units) { output[query + invocation] = select(vec4<f32>(), gate * sum / total, seen > 0u); }
    for (var block = invocation; block < seen; block += INVOCATIONS) {
      let share = exp(scoreOf(query, kvHead, block) - top) / total;
      importance[own + block] = select(importance[own + block], 0.0, member == 0u) + share;
    }
  }
}
