// Fills a stretch of a layer's ring with normally distributed keys, around a mean for each head, and values around 0.
// Shapes: keys, values [kvHead][ringSlots][headDim] f16, two to a word; means [kvHead][headDim] f32.
// Bindings: 0 span, 1 means, 2 keys, 3 values.
// Mapping: an invocation is a word; x counts the words of a token's heads, y the tokens.
// Every number is a hash of (seed, token, word), so that a run can be repeated.

struct Span { seed: u32, position: u32, ringSlots: u32, headWords: u32, kvHeads: u32 }

@group(0) @binding(0) var<uniform> span: Span;
@group(0) @binding(1) var<storage, read> means: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> values: array<u32>;

// PCG hash (Jarzynski and Olano, 2020).
fn hash(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

// Two independent normal numbers (Box and Muller).
fn normals(seed: u32) -> vec2<f32> {
  let first = hash(seed);
  let radius = sqrt(-2.0 * log((f32(first >> 8u) + 1.0) / 16777217.0));
  let angle = 6.2831853 * f32(hash(first ^ 0x9e3779b9u) >> 8u) / 16777216.0;
  return radius * vec2<f32>(cos(angle), sin(angle));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= span.kvHeads * span.headWords) { return; }
  let token = span.position + id.y;
  let kvHead = id.x / span.headWords;
  let word = id.x % span.headWords;
  let seed = hash(hash(span.seed + token) + id.x * 2u);
  let slot = (kvHead * span.ringSlots + token % span.ringSlots) * span.headWords + word;
  keys[slot] = pack2x16float(means[id.x] + normals(seed));
  values[slot] = pack2x16float(normals(seed ^ 0x68bc21ebu));
}
