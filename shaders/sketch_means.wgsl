// The mean key of a segment, for each key-value head; sinks do not count.
// Shapes: keys [kvHead][slot][HEAD_DIM] in the cache's format, slot = position % capacitySlots;
//   means [kvHead][segment][HEAD_DIM] f16, two to a word.
// Bindings: 0 segment, 1 shape, 2 keys, 3 means.
// Mapping: workgroup x = tile of 8 units of four dimensions, y = key-value head. Invocations = stripes of
//   the tokens × 8 units; the stripes are summed in workgroup memory.
// Constants: INVOCATIONS, UNITS (HEAD_DIM / 4), SEGMENT_TOKENS, SINK_TOKENS, those of kv_load.wgsl.
// Reference: sketchSegment in engine/reference/retrieval/sketch.ts.

struct Segment { index: u32 }
struct Shape { capacitySlots: u32, capacityTokens: u32, block: u32 }

@group(0) @binding(0) var<uniform> segment: Segment;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(3) var<storage, read_write> means: array<vec2<u32>>;

const TILE = 8u;
const STRIPES = INVOCATIONS / TILE;
const LARGEST_HALF = 65504.0;

var<workgroup> sums: array<vec4<f32>, INVOCATIONS>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let kvHead = workgroup.y;
  let unit = workgroup.x * TILE + invocation % TILE;
  let stripe = invocation / TILE;
  let end = (segment.index + 1u) * SEGMENT_TOKENS;
  let begin = max(end - SEGMENT_TOKENS, SINK_TOKENS);
  var sum = vec4<f32>();
  if (unit < UNITS) {
    for (var token = begin + stripe; token < end; token += STRIPES) {
      sum += widen0(keys[(kvHead * shape.capacitySlots + token % shape.capacitySlots) * UNITS + unit]);
    }
  }
  sums[invocation] = sum;
  for (var half = STRIPES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (stripe < half) { sums[invocation] += sums[invocation + half * TILE]; }
  }
  if (stripe == 0u && unit < UNITS) {
    let mean = clamp(sums[invocation] / f32(end - begin), vec4<f32>(-LARGEST_HALF), vec4<f32>(LARGEST_HALF));
    means[(kvHead * (shape.capacityTokens / SEGMENT_TOKENS) + segment.index) * UNITS + unit] = vec2<u32>(pack2x16float(mean.xy), pack2x16float(mean.zw));
  }
}
