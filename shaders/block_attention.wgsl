// Attention of a step's rows to the means of whole blocks, and how much each block got from the heads of its group:
//     output[row][head] = sigmoid(gate) · Σ softmax(q · mean key) · mean value;  importance[row][kvHead][block] = Σ_heads softmax
// A row sees blocks that end at or before it; where there are none its output is 0.
// Shapes: queries, output [rows][heads][units] vec4, queries scaled; means [kvHead][blocks][2][units]; gates [rows][heads][3];
//   importance [rows][kvHeads][blocks] f32.
// Bindings: 0 step, 1 shape, 2 queries, 3 means, 4 gates, 5 importance, 6 output.
// Mapping: workgroup x = row, y = key head, whose heads it takes one after another.
// Constants: INVOCATIONS (at least the units of a head). Reference: sparseRow in engine/reference/sparse.ts.
//   Texts: attention_places.wgsl.

struct Step { rows: u32, position: u32 }
struct Shape { heads: u32, kvHeads: u32, blocks: u32, units: u32, blockTokens: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> means: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> gates: array<f32>;
@group(0) @binding(5) var<storage, read_write> importance: array<f32>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4<f32>>;

var<private> kvHead: u32;
var<private> query: u32;

fn score_of(block: u32) -> f32 {
  let key = (kvHead * shape.blocks + block) * 2u * shape.units;
  var product = vec4<f32>();
  for (var unit = 0u; unit < shape.units; unit++) { product += queries[query + unit] * means[key + unit]; }
  return dot(product, vec4<f32>(1.0));
}

fn value_at(block: u32, unit: u32) -> vec4<f32> { return means[((kvHead * shape.blocks + block) * 2u + 1u) * shape.units + unit]; }

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = workgroup.x;
  kvHead = workgroup.y;
  let group = shape.heads / shape.kvHeads;
  let seen = (step.position + row + 1u) / shape.blockTokens;
  let own = (row * shape.kvHeads + workgroup.y) * shape.blocks;
  for (var member = 0u; member < group; member++) {
    let head = workgroup.y * group + member;
    query = (row * shape.heads + head) * shape.units;
    let attended = attend(seen, shape.units, invocation);
    let gate = 1.0 / (1.0 + exp(min(-gates[(row * shape.heads + head) * 3u], 88.0)));
    if (invocation < shape.units) { output[query + invocation] = select(vec4<f32>(), gate * attended.value, seen > 0u); }
    for (var block = invocation; block < seen; block += INVOCATIONS) {
      let share = exp(score_of(block) - attended.top) / attended.total;
      importance[own + block] = select(importance[own + block], 0.0, member == 0u) + share;
    }
  }
}
