// Copies tokens of a layer's ring into stored vectors (kv_load.wgsl's halves, or eight bits with a
// scale), or back. Keys and values are moved by one dispatch each.
// Shapes: ring [kvHead][slot][headDim], slot = position % capacity; stored [kvHead][tokens][VECTOR_WORDS] u32.
// Bindings: 0 shape, 1 span, 2 ring, 3 stored.
// Mapping: an invocation per vector: x over the span's tokens, y = key-value head.
// Constants: HALF_CACHE (the ring), EIGHT_BIT (the stored vectors), UNPACK (stored → ring), HEAD_UNITS =
//   headDim / 4, VECTOR_WORDS = words of a stored vector.
// Reference: encodeRecord, decodeRecord in engine/kv/tiers/record.ts.

struct Shape { capacitySlots: u32 }
// `stride`: tokens of a head in `stored`; `first`: where the span begins in it.
struct Span { position: u32, tokens: u32, stride: u32, first: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<uniform> span: Span;
//@if HALF_CACHE
alias RingUnit = vec2<u32>;
fn widen(unit: RingUnit) -> vec4<f32> { return vec4<f32>(unpack2x16float(unit.x), unpack2x16float(unit.y)); }
fn narrow(x: vec4<f32>) -> RingUnit { return vec2<u32>(pack2x16float(x.xy), pack2x16float(x.zw)); }
//@else
alias RingUnit = vec4<f32>;
fn widen(unit: RingUnit) -> vec4<f32> { return unit; }
fn narrow(x: vec4<f32>) -> RingUnit { return x; }
//@end
//@if UNPACK
@group(0) @binding(2) var<storage, read_write> ring: array<RingUnit>;
@group(0) @binding(3) var<storage, read> stored: array<u32>;
//@else
@group(0) @binding(2) var<storage, read> ring: array<RingUnit>;
@group(0) @binding(3) var<storage, read_write> stored: array<u32>;
//@end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= span.tokens) { return; }
  let slot = (span.position + id.x) % shape.capacitySlots;
  let source = (id.y * shape.capacitySlots + slot) * HEAD_UNITS;
  let vector = (id.y * span.stride + span.first + id.x) * VECTOR_WORDS;
//@if UNPACK
//@if EIGHT_BIT
  let scale = bitcast<f32>(stored[vector + HEAD_UNITS]);
  for (var u = 0u; u < HEAD_UNITS; u++) {
    let signed = vec4<i32>(bitcast<i32>(stored[vector + u])) << vec4<u32>(24u, 16u, 8u, 0u);
    ring[source + u] = narrow(scale * vec4<f32>(signed >> vec4<u32>(24u)));
  }
//@else
  for (var u = 0u; u < HEAD_UNITS; u++) {
    let words = vec2<u32>(stored[vector + 2u * u], stored[vector + 2u * u + 1u]);
    ring[source + u] = narrow(vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y)));
  }
//@end
//@else
//@if EIGHT_BIT
  var largest = vec4<f32>();
  for (var u = 0u; u < HEAD_UNITS; u++) { largest = max(largest, abs(widen(ring[source + u]))); }
  let scale = max(max(largest.x, largest.y), max(largest.z, largest.w)) / 127.0;
  let inverse = select(0.0, 1.0 / scale, scale > 0.0);
  for (var u = 0u; u < HEAD_UNITS; u++) {
    let whole = vec4<i32>(clamp(round(widen(ring[source + u]) * inverse), vec4<f32>(-127.0), vec4<f32>(127.0)));
    let bytes = vec4<u32>(whole & vec4<i32>(255)) << vec4<u32>(0u, 8u, 16u, 24u);
    stored[vector + u] = bytes.x | bytes.y | bytes.z | bytes.w;
  }
  stored[vector + HEAD_UNITS] = bitcast<u32>(scale);
//@else
  let limit = vec4<f32>(65504.0);
  for (var u = 0u; u < HEAD_UNITS; u++) {
    let x = clamp(widen(ring[source + u]), -limit, limit);
    stored[vector + 2u * u] = pack2x16float(x.xy);
    stored[vector + 2u * u + 1u] = pack2x16float(x.zw);
  }
//@end
//@end
}
