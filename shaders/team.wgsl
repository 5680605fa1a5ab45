// How the workgroups of one dispatch, its members, wait for each other: software adapters run a few workgroups at once,
// each on a thread of its own, and meeting in a loop costs half a microsecond where another dispatch costs forty. WebGPU
// does not promise that members run at once, so none waits for ever: when its patience is at an end it counts that as late and
// goes on, and from then on nobody waits. Whoever uses the result looks at that count (generate.ts).
//
// Rule for kernels of teams: what one member has read before a meeting, no other changes before the next one. Between
// meetings members write different places.
// Bindings: 3 meeting: arrivals, departures, patience in turns of the loop, how often a member came late. All but the
//   patience are 0 before the first dispatch; the last to leave makes arrivals and departures 0 again.
// Reference: what the kernels' phases compute one after another.

@group(0) @binding(3) var<storage, read_write> meeting: array<atomic<u32>, 4>;

// Returns how often this member has met the others. `met`: how often it had before.
fn meet(lane: u32, members: u32, met: u32) -> u32 {
  if (lane == 0u) { atomicAdd(&meeting[0], 1u); }
  let all = members * (met + 1u);
  let patience = select(atomicLoad(&meeting[2]), 0u, atomicLoad(&meeting[3]) > 0u);
  var came = false;
  for (var turn = 0u; turn < patience; turn++) {
    came = atomicLoad(&meeting[0]) >= all;
    if (came) { break; }
  }
  if (lane == 0u && !came) { atomicAdd(&meeting[3], 1u); }
  return met + 1u;
}

// After the last meeting.
fn leave(lane: u32, members: u32) {
  if (lane == 0u && atomicAdd(&meeting[1], 1u) == members - 1u) {
    atomicStore(&meeting[0], 0u);
    atomicStore(&meeting[1], 0u);
  }
}
