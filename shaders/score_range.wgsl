// Exact scores of a streamed window of keys, for choosing the best tokens by them.
// Shapes: queries [heads][headDim] f32, scaled; keys [kvHead][stride] stored vectors; scores
//   [heads][capacityTokens] f32, of tokens first … first + tokens; the sinks get -1e30.
// Bindings: 0 shape, 1 window, 2 queries, 3 keys, 4 scores.
// Mapping: an invocation per token and key-value head, for all heads of its group.
// Constants: HEAD_UNITS = headDim / 4, VECTOR_UNITS = units of a stored vector, EIGHT_BIT, GROUP,
//   SINK_TOKENS. Reference: the dot products of attendRange in engine/reference/attention.ts.

struct Shape { capacityTokens: u32, stride: u32 }
struct Window { first: u32, tokens: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<uniform> window: Window;
@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= window.tokens) { return; }
  let kvHead = id.y;
  let key = (kvHead * shape.stride + id.x) * VECTOR_UNITS;
  var score: array<f32, GROUP>;
  for (var u = 0u; u < HEAD_UNITS; u++) {
    let k = widen0(keys[key + u]);
    for (var g = 0u; g < GROUP; g++) { score[g] += dot(queries[(kvHead * GROUP + g) * HEAD_UNITS + u], k); }
  }
//@if EIGHT_BIT
  let scale = bitcast<f32>(keys[key + HEAD_UNITS]);
//@else
  let scale = 1.0;
//@end
  let token = window.first + id.x;
  for (var g = 0u; g < GROUP; g++) {
    scores[(kvHead * GROUP + g) * shape.capacityTokens + token] = select(score[g] * scale, -1e30, token < SINK_TOKENS);
  }
}
