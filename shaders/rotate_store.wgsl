// Takes a step's projections apart: bias and per-head norm (optional), rotary embedding of queries and keys,
// queries scaled and written out, keys and values stored in the cache in its format.
// Shapes: projections [rows][(heads + 2·kvHeads)·headDim] f32 (queries | keys | values);
//   biases as a row of projections; angles [rows][rotatedDims / 2] of (cos, sin) f32; queryNorm, keyNorm [headDim] f32;
//   queries [rows][heads·headDim] f32; keys, values [kvHead][slot][headDim], slot = position % capacity.
// Bindings: 0 step, 1 shape, 2 projections, 3 angles, 4 queries, 5 keys, 6 values,
//   then with BIAS biases, with NORM queryNorm and keyNorm.
// Mapping: workgroup x = head vector (queries, keys, values in order), y = row. An invocation takes a
//   quad: two neighbouring pairs of dimensions, so that f16 words can be written whole.
// Constants: INVOCATIONS, LONE_SUBGROUP, NORM, BIAS, TEMPERATURE (queries grow with the position), HALVES (pairs are (i, i + rotatedDims/2); else
//   (2i, 2i+1)), HALF_CACHE. Reference: rotateAndStore in engine/reference/rotate.ts.

struct Step { rows: u32, position: u32 }
struct Shape {
  heads: u32,
  kvHeads: u32,
  headDim: u32,
  rotatedDims: u32,
  capacitySlots: u32,
  queryScale: f32,
  epsilon: f32,
  temperatureRate: f32,
  temperatureTokens: u32,
}

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> projections: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read> angles: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> queries: array<vec2<f32>>;
//@if HALF_CACHE
@group(0) @binding(5) var<storage, read_write> keys: array<u32>;
@group(0) @binding(6) var<storage, read_write> values: array<u32>;
//@else
@group(0) @binding(5) var<storage, read_write> keys: array<vec2<f32>>;
@group(0) @binding(6) var<storage, read_write> values: array<vec2<f32>>;
//@end
//@if BIAS
@group(0) @binding(7) var<storage, read> biases: array<vec2<f32>>;
//@if NORM
@group(0) @binding(8) var<storage, read> queryNorm: array<vec2<f32>>;
@group(0) @binding(9) var<storage, read> keyNorm: array<vec2<f32>>;
//@end
//@else
//@if NORM
@group(0) @binding(7) var<storage, read> queryNorm: array<vec2<f32>>;
@group(0) @binding(8) var<storage, read> keyNorm: array<vec2<f32>>;
//@end
//@end

//@if !LONE_SUBGROUP
var<workgroup> sums: array<f32, INVOCATIONS>;
//@end

//@if HALF_CACHE
// Beyond the range of f16 the packed result would be undefined.
fn cached(x: vec2<f32>) -> u32 { return pack2x16float(clamp(x, vec2<f32>(-65504.0), vec2<f32>(65504.0))); }
//@else
fn cached(x: vec2<f32>) -> vec2<f32> { return x; }
//@end

// Pair `pair` of the head vector `vector` in a row.
fn projected(row: u32, vector: u32, pair: u32) -> vec2<f32> {
  let pairs = shape.headDim / 2u;
  let x = projections[(row * (shape.heads + 2u * shape.kvHeads) + vector) * pairs + pair];
//@if BIAS
  return x + biases[vector * pairs + pair];
//@else
  return x;
//@end
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let vector = workgroup.x;
  let row = workgroup.y;
  let pairs = shape.headDim / 2u;
  let quads = shape.headDim / 4u;
  let isQuery = vector < shape.heads;
  let isKey = !isQuery && vector < shape.heads + shape.kvHeads;
  let slot = (step.position + row) % shape.capacitySlots;
  let kvHead = select(vector - shape.heads - shape.kvHeads, vector - shape.heads, isKey);
  let cacheBase = (kvHead * shape.capacitySlots + slot) * pairs;

//@if NORM
  var scale = 1.0;
  if (isQuery || isKey) {
    var sum = 0.0;
    for (var pair = invocation; pair < pairs; pair += INVOCATIONS) {
      let x = projected(row, vector, pair);
      sum += dot(x, x);
    }
//@if LONE_SUBGROUP
    let total = subgroupAdd(sum);
//@else
    sums[invocation] = sum;
    for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (invocation < half) { sums[invocation] += sums[invocation + half]; }
    }
    workgroupBarrier();
    let total = sums[0];
//@end
    scale = inverseSqrt(total / f32(shape.headDim) + shape.epsilon);
  }
//@end

  var queryScale = shape.queryScale;
//@if TEMPERATURE
  queryScale *= 1.0 + shape.temperatureRate * log(1.0 + f32((step.position + row) / shape.temperatureTokens));
//@end
  let rotatedQuads = shape.rotatedDims / 4u;
  for (var quad = invocation; quad < quads; quad += INVOCATIONS) {
    let rotated = quad < rotatedQuads;
//@if HALVES
    let first = select(2u * quad, quad, rotated);
    let second = select(2u * quad + 1u, quad + rotatedQuads, rotated);
//@else
    let first = 2u * quad;
    let second = first + 1u;
//@end
    var a = projected(row, vector, first);
    var b = projected(row, vector, second);
    if (isQuery || isKey) {
//@if NORM
      if (isQuery) {
        a *= scale * queryNorm[first];
        b *= scale * queryNorm[second];
      } else {
        a *= scale * keyNorm[first];
        b *= scale * keyNorm[second];
      }
//@end
      if (rotated) {
        let angle = angles[row * rotatedQuads + quad];
//@if HALVES
        let cosines = angle.xz;
        let sines = angle.yw;
        let turned = a * cosines - b * sines;
        b = a * sines + b * cosines;
        a = turned;
//@else
        a = vec2<f32>(a.x * angle.x - a.y * angle.y, a.x * angle.y + a.y * angle.x);
        b = vec2<f32>(b.x * angle.z - b.y * angle.w, b.x * angle.w + b.y * angle.z);
//@end
      }
    }
    if (isQuery) {
      let base = (row * shape.heads + vector) * pairs;
      queries[base + first] = a * queryScale;
      queries[base + second] = b * queryScale;
    } else if (isKey) {
      keys[cacheBase + first] = cached(a);
      keys[cacheBase + second] = cached(b);
    } else {
      values[cacheBase + first] = cached(a);
      values[cacheBase + second] = cached(b);
    }
  }
}
