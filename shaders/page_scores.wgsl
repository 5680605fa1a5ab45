// Scores every far token by its page: the largest score that a key within the page's bounds can have,
// Σ_i max(q_i · minimum_i, q_i · maximum_i). Sinks, which fill the first page, score -1e30.
// Shapes: queries [heads][headDim] f32, scaled; pages [kvHead][pageCapacity][headDim] u32 (page_bounds.wgsl); scores
//   [heads][pageCapacity · 16] f32.
// Bindings: 0 shape, 1 queries, 2 pages, 3 scores.
// Mapping: workgroup x = 64 tokens, y = key-value head. The 16 invocations of a page share its channels at first, so
//   that neighbours read neighbours; then each is a token. Without SHARED_PAGES, for adapters that compute on the
//   processor and are slow at barriers: an invocation per page.
// Constants: SHARED_PAGES, INVOCATIONS = 64, or 4 without it, GROUP = query heads a key-value head, SINK_TOKENS.
// Reference: pageScores in engine/reference/retrieval/pages.ts.

struct Shape { pageCapacity: u32, headDim: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> queries: array<f32>;
@group(0) @binding(2) var<storage, read> pages: array<u32>;
@group(0) @binding(3) var<storage, read_write> scores: array<f32>;

const PAGE_TOKENS = 16u;

//@if SHARED_PAGES
var<workgroup> sums: array<f32, 64 * GROUP>;
//@end

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let kvHead = id.y;
//@if SHARED_PAGES
  let page = id.x / PAGE_TOKENS;
  let firstChannel = id.x % PAGE_TOKENS;
  let channelStep = PAGE_TOKENS;
//@else
  let page = id.x;
  let firstChannel = 0u;
  let channelStep = 1u;
//@end
  let bounds = (kvHead * shape.pageCapacity + page) * shape.headDim;
  let query = kvHead * GROUP * shape.headDim;
//@unroll g GROUP
  var sum$g = 0.0;
//@end
  for (var i = firstChannel; i < shape.headDim; i += channelStep) {
    let ends = unpack2x16float(pages[bounds + i]);
//@unroll g GROUP
    {
      let products = queries[query + $gu * shape.headDim + i] * ends;
      sum$g += max(products.x, products.y);
    }
//@end
  }
  let output = kvHead * GROUP * shape.pageCapacity * PAGE_TOKENS;
//@if SHARED_PAGES
//@unroll g GROUP
  sums[$gu * 64u + invocation] = sum$g;
//@end
  workgroupBarrier();
  let first = invocation / PAGE_TOKENS * PAGE_TOKENS;
  for (var head = 0u; head < GROUP; head++) {
    var score = 0.0;
    for (var i = 0u; i < PAGE_TOKENS; i++) { score += sums[head * 64u + first + i]; }
    scores[output + head * shape.pageCapacity * PAGE_TOKENS + id.x] = select(score, -1e30, id.x < SINK_TOKENS);
  }
//@else
  for (var token = page * PAGE_TOKENS; token < (page + 1u) * PAGE_TOKENS; token++) {
//@unroll g GROUP
    scores[output + $gu * shape.pageCapacity * PAGE_TOKENS + token] = select(sum$g, -1e30, token < SINK_TOKENS);
//@end
  }
//@end
}
