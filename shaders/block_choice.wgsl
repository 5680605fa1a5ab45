// Which blocks a row attends to token by token: the first, the last two, and those that got most (of equal ones the earlier).
// Shapes: importance [rows][kvHeads][blocks] f32, of whole blocks before the row; what is chosen becomes −1. chosen
//   [rows][kvHeads][CHOSEN]: block numbers, none = 0xffffffff at the end.
// Bindings: 0 step, 1 shape, 2 importance, 3 chosen.
// Mapping: workgroup x = row, y = key head; invocations share the search.
// Constants: INVOCATIONS, CHOSEN. Reference: chosenBlocks in engine/reference/sparse.ts.

struct Step { rows: u32, position: u32 }
struct Shape { kvHeads: u32, blocks: u32, blockTokens: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read_write> importance: array<f32>;
@group(0) @binding(3) var<storage, read_write> chosen: array<u32>;

const none = 0xffffffffu;

var<workgroup> best: array<vec2<f32>, INVOCATIONS>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = workgroup.x;
  let position = step.position + row;
  let last = position / shape.blockTokens;
  let seen = (position + 1u) / shape.blockTokens;
  let own = (row * shape.kvHeads + workgroup.y) * shape.blocks;
  let list = (row * shape.kvHeads + workgroup.y) * CHOSEN;
  // The last two and the first, each once.
  let forced = min(last + 1u, 3u);
  if (invocation == 0u) {
    for (var i = 0u; i < CHOSEN; i++) { chosen[list + i] = none; }
    for (var i = 0u; i < forced; i++) {
      let block = select(last - i, 0u, i == 2u);
      chosen[list + i] = block;
      if (block < seen) { importance[own + block] = -1.0; }
    }
  }
  for (var i = forced; i < min(CHOSEN, last + 1u); i++) {
    storageBarrier();
    workgroupBarrier();
    // A share and its block; numbers of blocks are exact in f32.
    var mine = vec2<f32>(-1.0, 0.0);
    for (var block = invocation; block < seen; block += INVOCATIONS) {
      let share = importance[own + block];
      if (share > mine.x) { mine = vec2<f32>(share, f32(block)); }
    }
    best[invocation] = mine;
    for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (invocation < half) {
        let other = best[invocation + half];
        if (other.x > best[invocation].x || (other.x == best[invocation].x && other.y < best[invocation].y)) { best[invocation] = other; }
      }
    }
    if (invocation == 0u && best[0].x >= 0.0) {
      let block = u32(best[0].y);
      chosen[list + i] = block;
      importance[own + block] = -1.0;
    }
  }
}
