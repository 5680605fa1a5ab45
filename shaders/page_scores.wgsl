// Scores every far token by its page: the largest score that a key within the page's bounds can have,
// Σ_i max(q_i · minimum_i, q_i · maximum_i). Sinks, which fill the first page, score -1e30.
// Shapes: queries [heads][headDim] f32, scaled; pages [kvHead][pageCapacity][headDim] u32 (page_bounds.wgsl); scores
//   [heads][pageCapacity · 16] f32.
// Bindings: 0 shape, 1 queries, 2 pages, 3 scores.
// Mapping: workgroup x = 64 tokens, y = key-value head. The 16 invocations of a page share its channels at first, so
//   that neighbours read neighbours; then each is a token.
// Constants: GROUP = query heads a key-value head, HEAD_DIM, SINK_TOKENS.
// Reference: pageScores in engine/reference/retrieval/pages.ts.

struct Shape { pageCapacity: u32, headDim: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> queries: array<f32>;
@group(0) @binding(2) var<storage, read> pages: array<u32>;
@group(0) @binding(3) var<storage, read_write> scores: array<f32>;

const PAGE_TOKENS = 16u;

var<workgroup> sums: array<f32, 64 * GROUP>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let kvHead = workgroup.y;
  let token = workgroup.x * 64u + invocation;
  let page = (kvHead * shape.pageCapacity + token / PAGE_TOKENS) * HEAD_DIM;
  let query = kvHead * GROUP * HEAD_DIM;
//@unroll g GROUP
  var sum$g = 0.0;
//@end
  for (var i = token % PAGE_TOKENS; i < shape.headDim; i += PAGE_TOKENS) {
    let bounds = unpack2x16float(pages[page + i]);
//@unroll g GROUP
    {
      let products = queries[query + $gu * HEAD_DIM + i] * bounds;
      sum$g += max(products.x, products.y);
    }
//@end
  }
//@unroll g GROUP
  sums[$gu * 64u + invocation] = sum$g;
//@end
  workgroupBarrier();
  let first = invocation / PAGE_TOKENS * PAGE_TOKENS;
  for (var head = 0u; head < GROUP; head++) {
    var score = 0.0;
    for (var i = 0u; i < PAGE_TOKENS; i++) { score += sums[head * 64u + first + i]; }
    scores[(kvHead * GROUP + head) * shape.pageCapacity * PAGE_TOKENS + token] = select(score, -1e30, token < SINK_TOKENS);
  }
}
