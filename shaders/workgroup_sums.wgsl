// Sums of two numbers over a workgroup: of all invocations, and of those before each one. Few barriers: none of a
// halving each, which is what places in a list would else wait for.
// Constants: INVOCATIONS, a multiple of 32; SUBGROUPS, and then SUBGROUP_LANES, which divides INVOCATIONS: the lanes
//   of a subgroup are consecutive invocations.

struct Sums { before: vec2<u32>, total: vec2<u32> }

//@if SUBGROUPS
const SUM_RUNS = u32(INVOCATIONS / SUBGROUP_LANES);
//@else
// Invocations whose sum one of them makes.
const SUM_RUN = 16u;
const SUM_RUNS = u32(INVOCATIONS / 16);
// A place is left out after each run, or its readers would meet in one bank of memory.
var<workgroup> sumParts: array<vec2<u32>, INVOCATIONS + SUM_RUNS>;
//@end
var<workgroup> sumRuns: array<vec2<u32>, SUM_RUNS>;

// All invocations of the workgroup must call it. A barrier at the end, none at the start.
@diagnostic(off, subgroup_uniformity)
fn sumsOf(mine: vec2<u32>, invocation: u32) -> Sums {
//@if SUBGROUPS
  let run = invocation / SUBGROUP_LANES;
  var before = subgroupExclusiveAdd(mine);
  if (invocation % SUBGROUP_LANES == SUBGROUP_LANES - 1u) { sumRuns[run] = before + mine; }
  workgroupBarrier();
//@else
  let run = invocation / SUM_RUN;
  sumParts[invocation + run] = mine;
  workgroupBarrier();
  if (invocation < SUM_RUNS) {
    var ofRun = vec2<u32>();
    for (var i = 0u; i < SUM_RUN; i++) { ofRun += sumParts[invocation * (SUM_RUN + 1u) + i]; }
    sumRuns[invocation] = ofRun;
  }
  workgroupBarrier();
  var before = vec2<u32>();
  for (var i = run * (SUM_RUN + 1u); i < invocation + run; i++) { before += sumParts[i]; }
//@end
  var total = vec2<u32>();
  for (var i = 0u; i < SUM_RUNS; i++) {
    let ofRun = sumRuns[i];
    total += ofRun;
    before += select(vec2<u32>(), ofRun, i < run);
  }
  workgroupBarrier();
  return Sums(before, total);
}
