// What the kernels of an inspection share: rows of kept queries, and the keys of a range of positions, wherever they
// lie. A row sees the keys up to its own position, and with a window only the last of them.
// The queries of one key-value head are numbered row·count + (head among the chosen ones).

struct Range {
  // Kept rows, and the position of the first.
  rows: u32, position: u32,
  heads: u32, kvHeads: u32,
  // Key p of a key-value head lies in slot (p - slotOrigin) % capacitySlots.
  capacitySlots: u32, slotOrigin: u32,
  // Keys [firstKey, endKey) are there.
  firstKey: u32, endKey: u32,
  // 0: everything before it.
  window: u32,
  // Of a tile: rows [firstRow, endRow) and keys [fromKey, toKey), in buckets.
  firstRow: u32, endRow: u32, rowsPerBucket: u32,
  fromKey: u32, toKey: u32, keysPerBucket: u32, columns: u32,
}

// Stands for -infinity, which WGSL does not promise to handle.
const NOTHING = -1e30;

fn vectorOf(kvHead: u32, key: u32) -> u32 {
  return (kvHead * range.capacitySlots + (key - range.slotOrigin) % range.capacitySlots) * VECTOR_UNITS;
}

// The first key that a row at `position` sees.
fn firstSeen(position: u32) -> u32 {
  return select(0u, position + 1u - min(position + 1u, range.window), range.window > 0u);
}

// First and last + 1 key of a run, when the range's keys are divided into `runs`.
fn runOf(run: u32, runs: u32) -> vec2<u32> {
  let length = (range.endKey - range.firstKey + runs - 1u) / runs;
  let first = min(range.firstKey + run * length, range.endKey);
  return vec2<u32>(first, min(first + length, range.endKey));
}
