// Queries, keys and values as halves, eight dimensions (16 bytes) at a time: what attention_matrix.wgsl stages.
// Of attention_io.wgsl: queries; of kv_load.wgsl (WIDE) or kv_load_eight_bit.wgsl: keys, values, widen0. Alias: Mixed = vec4<f32>.
// Constants: DIMS of a head, VECTOR_UNITS, EIGHT_BIT, HALF_CACHE.
// Reference: attendRange in engine/reference/attention.ts, to the precision of halves.

const UNITS = DIMS / 8u;
const LOG2_E = 1.4426950408889634;

fn halves(a: vec4<f32>, b: vec4<f32>) -> vec4<u32> {
  let first = clamp(a, vec4<f32>(-65504.0), vec4<f32>(65504.0));
  let second = clamp(b, vec4<f32>(-65504.0), vec4<f32>(65504.0));
  return vec4<u32>(pack2x16float(first.xy), pack2x16float(first.zw), pack2x16float(second.xy), pack2x16float(second.zw));
}

fn queryHalves(head: u32, unit: u32) -> vec4<u32> {
  let at = (head * UNITS + unit) * 2u;
  return halves(LOG2_E * queries[at], LOG2_E * queries[at + 1u]);
}

// Eight dimensions of the vector in a slot.
fn keyHalves(slot: u32, unit: u32) -> vec4<u32> {
  let vector = slot * VECTOR_UNITS;
//@if EIGHT_BIT
  let scale = bitcast<f32>(keys[vector + 2u * UNITS]);
  return halves(scale * widen0(keys[vector + 2u * unit]), scale * widen0(keys[vector + 2u * unit + 1u]));
//@else
//@if HALF_CACHE
  return keys[vector + unit];
//@else
  return halves(keys[vector + 2u * unit], keys[vector + 2u * unit + 1u]);
//@end
//@end
}

fn valueHalves(slot: u32, unit: u32) -> vec4<u32> {
  let vector = slot * VECTOR_UNITS;
//@if EIGHT_BIT
  let scale = bitcast<f32>(values[vector + 2u * UNITS]);
  return halves(scale * widen0(values[vector + 2u * unit]), scale * widen0(values[vector + 2u * unit + 1u]));
//@else
//@if HALF_CACHE
  return values[vector + unit];
//@else
  return halves(values[vector + 2u * unit], values[vector + 2u * unit + 1u]);
//@end
//@end
}

// The slot of a key of a block. Keys outside begin … end, which are at most a ring, are the nearest one and masked later.
fn blockSlot(block: u32, key: u32, begin: u32, end: u32) -> u32 {
  let first = min(max(block, begin), end - 1u);
  let slot = first % shape.capacitySlots + clamp(block + key, first, end - 1u) - first;
  return select(slot, slot - shape.capacitySlots, slot >= shape.capacitySlots);
}
