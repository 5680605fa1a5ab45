// What the kernels of sparse reading share: the numbers of a choice, and the shape of what is chosen among.

// Of `rows` rows `sampled` speak for all; of `blocks` blocks those from nearBlock on are read, and `wanted` of the others.
struct Reading { rows: u32, sampled: u32, blocks: u32, nearBlock: u32, wanted: u32 }
struct Shape { heads: u32, meanCapacity: u32, blockCapacity: u32 }

@group(0) @binding(0) var<uniform> reading: Reading;
@group(0) @binding(1) var<uniform> shape: Shape;
