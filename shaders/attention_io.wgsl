// What the attention kernels share: the buffers they read and leave, and where things lie in them. Kernels describe
// them in attention_tiled.wgsl.
// Constants: CAUSAL, PARTIAL, LISTED, WEIGHED. Aliases: Mixed, the element that results are written in (vec4<f32> or f32).
// Texts: kv_load.wgsl or kv_load_eight_bit.wgsl.

struct Step { rows: u32, position: u32, sealed: u32 }
struct Shape { heads: u32, kvHeads: u32, capacitySlots: u32, window: u32, listCapacity: u32, headVec4s: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(4) var<storage, read> values: array<KvUnit>;
//@if PARTIAL
struct Part { keys: u32, firstSplit: u32, continued: u32 }
@group(0) @binding(5) var<storage, read_write> partials: array<Mixed>;
@group(0) @binding(6) var<storage, read_write> logSumExps: array<f32>;
@group(0) @binding(7) var<uniform> part: Part;
//@if LISTED
@group(0) @binding(8) var<storage, read> list: array<u32>;
@group(0) @binding(9) var<storage, read> listCounts: array<u32>;
//@end
//@if WEIGHED
@group(0) @binding(8) var<storage, read> weights: array<u32>;
//@end
//@else
@group(0) @binding(5) var<storage, read_write> output: array<Mixed>;
@group(0) @binding(6) var<storage, read_write> partials: array<Mixed>;
@group(0) @binding(7) var<storage, read_write> logSumExps: array<f32>;
//@end

// Stands for -infinity, which WGSL does not promise to handle.
const NOTHING = -1e30;
// Below every score and above NOTHING: where running maxima begin.
const LOWEST = -1e20;

// Where a query of the key-value head lies: [row][head].
fn headOf(query: u32, kvHead: u32, group: u32) -> u32 {
  return (query / group) * shape.heads + kvHead * group + query % group;
}

fn slotOf(index: u32, kvHead: u32) -> u32 {
//@if LISTED
  return list[kvHead * shape.listCapacity + index];
//@else
//@if CAUSAL
  return index % shape.capacitySlots;
//@else
  return index;
//@end
//@end
}

// The slot of the key that is `place` keys behind the one in slot `first`, less than once round the ring. Places beyond a
// workgroup's own keys may lead anywhere inside the cache: what is loaded there is masked.
fn slotAfter(first: u32, place: u32) -> u32 {
  let slot = first + place;
  return min(slot - select(0u, shape.capacitySlots, slot >= shape.capacitySlots), shape.capacitySlots - 1u);
}

fn sees(rowPosition: u32, index: u32, end: u32) -> bool {
//@if CAUSAL
  return index < end && index <= rowPosition && (shape.window == 0u || index + shape.window > rowPosition);
//@else
  return index < end;
//@end
}
