// The best (logit, token) and sums over a workgroup. With LONE_SUBGROUP the workgroup is one subgroup
// and lanes exchange directly; else through workgroup memory. Constants: INVOCATIONS, LONE_SUBGROUP.

//@if LONE_SUBGROUP
// Control flow here depends on earlier results of these functions only, which all lanes share; the
// compiler cannot know that, hence the diagnostic.
@diagnostic(off, subgroup_uniformity)
fn bestOf(mine: Best, invocation: u32) -> Best {
  let logit = subgroupMax(mine.logit);
  return Best(logit, subgroupMin(select(NO_TOKEN, mine.token, mine.logit == logit)));
}
@diagnostic(off, subgroup_uniformity)
fn sumOf(mine: f32, invocation: u32) -> f32 { return subgroupAdd(mine); }
//@else
var<workgroup> bests: array<Best, INVOCATIONS>;
var<workgroup> sums: array<f32, INVOCATIONS>;

fn bestOf(mine: Best, invocation: u32) -> Best {
  bests[invocation] = mine;
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half && better(bests[invocation + half], bests[invocation])) {
      bests[invocation] = bests[invocation + half];
    }
  }
  // A uniform load is also a barrier, so the next call may write.
  return workgroupUniformLoad(&bests[0]);
}

fn sumOf(mine: f32, invocation: u32) -> f32 {
  sums[invocation] = mine;
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { sums[invocation] += sums[invocation + half]; }
  }
  return workgroupUniformLoad(&sums[0]);
}
//@end
