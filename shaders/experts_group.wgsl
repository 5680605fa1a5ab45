// Brings together the pairs (row, slot) that chose the same expert, and cuts them into tiles of at most ROWS pairs, so
// that an expert's weights are read once for a tile.
// Shapes: choice [pairs] u32, pairs = rows · chosen; order [pairs] u32: the pairs expert by expert;
//   tiles [tileCount] of (expert, first place in order, pairs): those not needed have no pairs.
// Bindings: 0 step, 1 shape, 2 choice, 3 order, 4 tiles.
// Mapping: one workgroup. Within an expert the order is that of the atomic additions: no result depends on it.
// Constants: INVOCATIONS, EXPERTS, ROWS. Reference: the test, from the definition.

struct Step { rows: u32, position: u32 }
struct Shape { chosen: u32, tileCount: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> choice: array<u32>;
@group(0) @binding(3) var<storage, read_write> order: array<u32>;
@group(0) @binding(4) var<storage, read_write> tiles: array<vec4<u32>>;

// Of each expert: its pairs, then where the next of them goes.
var<workgroup> places: array<atomic<u32>, EXPERTS>;
var<workgroup> tilesUsed: u32;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(local_invocation_index) invocation: u32) {
  let pairs = step.rows * shape.chosen;
  for (var e = invocation; e < EXPERTS; e += INVOCATIONS) { atomicStore(&places[e], 0u); }
  workgroupBarrier();
  for (var pair = invocation; pair < pairs; pair += INVOCATIONS) { atomicAdd(&places[choice[pair]], 1u); }
  workgroupBarrier();
  if (invocation == 0u) {
    var first = 0u;
    var tile = 0u;
    for (var e = 0u; e < EXPERTS; e++) {
      let count = atomicExchange(&places[e], first);
      for (var done = 0u; done < count; done += ROWS) {
        tiles[tile] = vec4<u32>(e, first + done, min(ROWS, count - done), 0u);
        tile++;
      }
      first += count;
    }
    tilesUsed = tile;
  }
  workgroupBarrier();
  for (var tile = tilesUsed + invocation; tile < shape.tileCount; tile += INVOCATIONS) { tiles[tile] = vec4<u32>(0u); }
  for (var pair = invocation; pair < pairs; pair += INVOCATIONS) { order[atomicAdd(&places[choice[pair]], 1u)] = pair; }
}
