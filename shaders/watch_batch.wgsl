// What the kernels that watch heads share: the rows of a batch, and the layer that is looked at.

struct Batch {
  rows: u32, position: u32,
  // Of buffers that hold rows at position % capacityRows.
  capacityRows: u32,
  parts: u32,
  // Watched heads of all layers; of this layer, and the place of its first.
  heads: u32, layerHeads: u32, firstHead: u32,
  // Key p of a key-value head lies in slot p % capacitySlots; window 0: everything before a row is seen.
  capacitySlots: u32, window: u32,
  // A key-value head, and those of the layer's watched heads that share it.
  kvHead: u32, groupFirst: u32, groupHeads: u32,
}

// Stands for -infinity, which WGSL does not promise to handle.
const NOTHING = -1e30;

// The first key that a row at `position` sees.
fn firstSeen(position: u32) -> u32 {
  return select(0u, position + 1u - min(position + 1u, batch.window), batch.window > 0u);
}
