// First pass of sampling: the best token of each block of 512, the block's mass, and whether a logit
// is not finite.
// Shapes: logits [vocabularySize] f32; blocks [ceil(vocabularySize / 512)] of Block.
// Bindings: 0 settings, 1 logits, 2 seen (sample_logits.wgsl), 3 blocks.
// Mapping: workgroups stride over blocks, invocations over a block's vec4s. With sample_logits.wgsl
// and sample_reduce.wgsl. Reference: engine/reference/sampling.ts.

struct Block {
  best: Best,
  // Σ e^(logit - best), only for mode 2.
  mass: f32,
  // Above 0 when a logit is NaN or +infinity.
  broken: f32,
}

@group(0) @binding(3) var<storage, read_write> blocks: array<Block>;

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let units = (settings.vocabularySize + 3u) / 4u;
  for (var block = workgroup.x; block < settings.blocks; block += workgroups.x) {
    let end = min((block + 1u) * BLOCK_UNITS, units);
    var mine = Best(NOTHING, NO_TOKEN);
    var faults = 0.0;
    for (var unit = block * BLOCK_UNITS + invocation; unit < end; unit += INVOCATIONS) {
      let four = logitsAt(unit);
      faults += select(0.0, 1.0, broken(unit));
      let highest = max(max(four.x, four.y), max(four.z, four.w));
      // Ascending ids: an equal logit further on does not win.
      if (highest > mine.logit) {
        let lane = select(select(select(3u, 2u, four.z == highest), 1u, four.y == highest), 0u, four.x == highest);
        mine = Best(highest, 4u * unit + lane);
      }
    }
    let best = bestOf(mine, invocation);
    var mass = 0.0;
    if (settings.mode == 2u) {
      for (var unit = block * BLOCK_UNITS + invocation; unit < end; unit += INVOCATIONS) {
        mass += dot(exp(max(logitsAt(unit) - best.logit, vec4<f32>(-88.0))), vec4<f32>(1.0));
      }
    }
    let total = sumOf(mass, invocation);
    let broken = sumOf(faults, invocation);
    if (invocation == 0u) { blocks[block] = Block(best, total, broken); }
  }
}
