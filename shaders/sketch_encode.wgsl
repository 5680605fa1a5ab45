// Sketches the keys of some segments: what is left of each less the centroid of its cluster, weighed, rotated, and quantised to
// PLANES bits a dimension with one scale a token: value = (code - (2^PLANES - 1) / 2)·scale.
// Shapes: keys [kvHead][slot][HEAD_DIM] in the cache's format, slot = position % capacitySlots; centroids
//   [kvHead][capacityTokens / 16][UNITS + 1] u32 (cluster_store.wgsl); planes [kvHead][plane][token][WORDS] u32, bit i
//   of word w is dimension 32·w + i, most significant plane first, unused bits 0; tokenWords [kvHead][token] u32: high
//   16 bits = cluster within the segment, which stay; the low 16 become the scale as f16. Sinks, which are in no
//   cluster and are never scored, are sketched as if they were in the last one. dimensions [HEAD_DIM] f32: their weights.
// Bindings: 0 segment, 1 shape, 2 keys, 3 centroids, 4 planes, 5 tokenWords, 6 dimensions.
// Mapping: workgroup x = tile of VECTORS tokens of the segment, y = key-value head, z = segment, from segment.first on; after the rotation
//   INVOCATIONS / VECTORS lanes share a token.
// Constants: PLANES, SIGNS (one plane), PREFIX (four planes, which are read two at a time too), WORDS,
//   UNITS (HEAD_DIM / 4), SEGMENT_TOKENS, CLUSTERS = SEGMENT_TOKENS / 16, those of sketch_rotate.wgsl and kv_load.wgsl.
// Reference: sketchSegment in engine/reference/retrieval/sketch.ts.

struct Segment { first: u32 }
struct Shape { capacitySlots: u32, capacityTokens: u32, block: u32 }

@group(0) @binding(0) var<uniform> segment: Segment;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(3) var<storage, read> centroids: array<u32>;
@group(0) @binding(4) var<storage, read_write> planes: array<u32>;
@group(0) @binding(5) var<storage, read_write> tokenWords: array<u32>;
@group(0) @binding(6) var<storage, read> dimensions: array<vec4<f32>>;

const LANES = u32(INVOCATIONS / VECTORS);
const LEVELS = f32(1 << PLANES);

var<workgroup> partials: array<f32, INVOCATIONS>;
//@if !SIGNS
const FACTORS = 6;
var<workgroup> errors: array<f32, FACTORS * INVOCATIONS>;
//@end

fn centroidUnit(record: u32, unit: u32) -> vec4<f32> {
  return vec4<f32>(unpack4xI8(centroids[record + unit])) * bitcast<f32>(centroids[record + UNITS]);
}

fn roundedToHalf(x: f32) -> f32 { return quantizeToF16(min(x, 65504.0)); }

fn inverseOf(scale: f32) -> f32 { return select(0.0, 1.0 / scale, scale > 0.0); }

fn codeOf(x: f32, inverseScale: f32) -> f32 {
  return clamp(floor(x * inverseScale + LEVELS / 2.0), 0.0, LEVELS - 1.0);
}

fn squaredError(x: f32, scale: f32, inverseScale: f32) -> f32 {
  let code = codeOf(x, inverseScale);
  let error = x - (code - (LEVELS - 1.0) / 2.0) * scale;
//@if PREFIX
  let ofPrefix = x - (floor(code / 4.0) * 4.0 + 1.5 - (LEVELS - 1.0) / 2.0) * scale;
  return error * error + ofPrefix * ofPrefix;
//@else
  return error * error;
//@end
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let kvHead = workgroup.y;
  let segmentIndex = segment.first + workgroup.z;
  let firstToken = segmentIndex * SEGMENT_TOKENS + workgroup.x * VECTORS;
  for (var i = invocation; i < VECTORS * UNITS; i += INVOCATIONS) {
    let unit = i % UNITS;
    let token = firstToken + i / UNITS;
    let slot = token % shape.capacitySlots;
    let cluster = segmentIndex * CLUSTERS + min(tokenWords[kvHead * shape.capacityTokens + token] >> 16u, CLUSTERS - 1u);
    let record = (kvHead * (shape.capacityTokens / 16u) + cluster) * (UNITS + 1u);
    let x = (widen0(keys[(kvHead * shape.capacitySlots + slot) * UNITS + unit]) - centroidUnit(record, unit)) * dimensions[unit];
//@unroll c 4
    rotated[i * 4u + $cu] = x[$c] * signed(unit * 4u + $cu);
//@end
  }
  transform(shape.block, invocation);

  let vector = invocation / LANES;
  let lane = invocation % LANES;
  let base = vector * HEAD_DIM;
  var mine = 0.0;
  for (var i = lane; i < HEAD_DIM; i += LANES) {
//@if SIGNS
    mine += abs(rotated[base + i]);
//@else
    mine = max(mine, abs(rotated[base + i]));
//@end
  }
  partials[invocation] = mine;
  workgroupBarrier();
  var ofToken = 0.0;
  for (var i = 0u; i < LANES; i++) {
//@if SIGNS
    ofToken += partials[vector * LANES + i];
//@else
    ofToken = max(ofToken, partials[vector * LANES + i]);
//@end
  }
//@if SIGNS
  // The mean magnitude has the least squared error.
  let scale = roundedToHalf(2.0 * ofToken / f32(HEAD_DIM));
//@else
  // Clipping the largest values leaves finer steps for the rest: the best of a few scales.
//@unroll f 6
  let scale$f = roundedToHalf(ofToken * (0.5 + 0.1 * $f.0) / (LEVELS / 2.0));
  let inverse$f = inverseOf(scale$f);
  var error$f = 0.0;
//@end
  for (var i = lane; i < HEAD_DIM; i += LANES) {
    let x = rotated[base + i];
//@unroll f 6
    error$f += squaredError(x, scale$f, inverse$f);
//@end
  }
//@unroll f 6
  errors[$f * INVOCATIONS + invocation] = error$f;
//@end
  workgroupBarrier();
  var scale = scale0;
  var least = 3e38;
//@unroll f 6
  {
    var error = 0.0;
    for (var i = 0u; i < LANES; i++) { error += errors[$f * INVOCATIONS + vector * LANES + i]; }
    if (error < least) {
      least = error;
      scale = scale$f;
    }
  }
//@end
//@end
  let inverseScale = inverseOf(scale);
  for (var i = lane; i < HEAD_DIM; i += LANES) {
    rotated[base + i] = codeOf(rotated[base + i], inverseScale);
  }
  if (lane == 0u) {
    let tokenIndex = kvHead * shape.capacityTokens + firstToken + vector;
    tokenWords[tokenIndex] = (tokenWords[tokenIndex] & 0xffff0000u) | (pack2x16float(vec2<f32>(scale, 0.0)) & 0xffffu);
  }
  workgroupBarrier();
  for (var i = invocation; i < VECTORS * PLANES * WORDS; i += INVOCATIONS) {
    let word = i % WORDS;
    let tile = i / WORDS % VECTORS;
    let plane = i / (WORDS * VECTORS);
    var bits = 0u;
    for (var bit = 0u; bit < min(32u, HEAD_DIM - 32u * word); bit++) {
      let code = u32(rotated[tile * HEAD_DIM + 32u * word + bit]);
      bits |= ((code >> (PLANES - 1u - plane)) & 1u) << bit;
    }
    planes[((kvHead * PLANES + plane) * shape.capacityTokens + firstToken + tile) * WORDS + word] = bits;
  }
}
