// Estimates query·key from the sketch, with the first planesRead of its planes:
//   query·mean + (rotated query)·(rotated, quantised key).
// Shapes: rotatedQueries, meanScores as in sketch_query.wgsl; planes, tokenWords as in sketch_encode.wgsl;
//   scores [head][scoreStride] f32, -1e30 for sinks.
//   With LIST only the tokens of a list are scored: list [kvHead][listStride] of positions, counts [kvHead];
//   score i is that of the list's entry i.
// Bindings: 0 numbers, 1 shape, 2 rotatedQueries (uniform: all invocations read the same word), 3 planes,
//   4 tokenWords, 5 meanScores, 6 scores, with LIST 7 list, 8 counts.
// Mapping: workgroup x = tile of INVOCATIONS tokens, one an invocation; y = key-value head; z = tile of HEADS
//   of its query heads. Codes of four dimensions lie in the bytes of a word and meet the query in one
//   dot4I8Packed.
// Constants: INVOCATIONS, LIST, PLANES, WORDS, GROUP, HEADS, QUERY_VEC4S (of rotatedQueries),
//   SEGMENT_TOKENS, SINK_TOKENS.
// Reference: estimateScores in engine/reference/retrieval/sketch.ts.

struct Numbers { sealedTokens: u32, planesRead: u32 }
struct Shape { capacityTokens: u32, scoreStride: u32, listStride: u32, block: u32 }

@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<uniform> rotatedQueries: array<vec4<u32>, QUERY_VEC4S>;
@group(0) @binding(3) var<storage, read> planes: array<u32>;
@group(0) @binding(4) var<storage, read> tokenWords: array<u32>;
@group(0) @binding(5) var<storage, read> meanScores: array<f32>;
@group(0) @binding(6) var<storage, read_write> scores: array<f32>;
//@if LIST
@group(0) @binding(7) var<storage, read> list: array<u32>;
@group(0) @binding(8) var<storage, read> counts: array<u32>;
//@end

const QUERY_STRIDE = u32(2 * WORDS + 1);
const LEVELS = f32(1 << PLANES);

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let kvHead = workgroup.y;
  let firstHead = kvHead * GROUP + workgroup.z * HEADS;
  // The last tile may be short: it computes its last head again and does not write it.
  let lastHead = min(firstHead + HEADS, (kvHead + 1u) * GROUP) - 1u;
  let entry = workgroup.x * INVOCATIONS + invocation;
//@if LIST
  if (entry >= counts[kvHead]) { return; }
  let token = list[kvHead * shape.listStride + entry];
//@else
  if (entry >= numbers.sealedTokens) { return; }
  let token = entry;
//@end

//@unroll n HEADS
  var product$n = 0;
  let query$n = min(firstHead + $nu, lastHead) * QUERY_STRIDE;
//@end
  for (var word = 0u; word < WORDS; word++) {
//@unroll j 8
    var codes$j = 0u;
//@end
    for (var plane = 0u; plane < numbers.planesRead; plane++) {
      let bits = planes[((kvHead * PLANES + plane) * shape.capacityTokens + token) * WORDS + word];
//@unroll j 8
      codes$j = (codes$j << 1u) | ((bits >> $ju) & 0x01010101u);
//@end
    }
//@unroll n HEADS
    {
      let low = rotatedQueries[query$n + 2u * word];
      let high = rotatedQueries[query$n + 2u * word + 1u];
//@unroll j 4
      product$n += dot4I8Packed(codes$j, low[$j]);
      product$n += dot4I8Packed(codes$[ $j + 4 ], high[$j]);
//@end
    }
//@end
  }

  // A prefix of the planes stands for the middle of the codes that begin so.
  let step = f32(1u << (PLANES - numbers.planesRead));
  let middle = (step - LEVELS) / 2.0;
  let scale = unpack2x16float(tokenWords[kvHead * shape.capacityTokens + token]).x;
  let segment = token / SEGMENT_TOKENS;
  let segments = shape.capacityTokens / SEGMENT_TOKENS;
//@unroll n HEADS
  if (firstHead + $nu <= lastHead) {
    let head = firstHead + $nu;
    let scaleAndSum = bitcast<vec2<f32>>(rotatedQueries[query$n + 2u * WORDS].xy);
    let product = step * f32(product$n) + middle * scaleAndSum.y;
    let score = meanScores[head * segments + segment] + scale * scaleAndSum.x * product;
    scores[head * shape.scoreStride + entry] = select(score, -1e30, token < SINK_TOKENS);
  }
//@end
}
