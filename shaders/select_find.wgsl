// Finds the bucket of `histogram` (declared by the kernel, [kvHead][BUCKETS] u32) in which the `wanted`-th
// entry lies. All invocations of the workgroup must call it.

// before: entries in the buckets below. bucket = BUCKETS when there are fewer than `wanted` entries.
struct Found { bucket: u32, before: u32 }

var<workgroup> runSums: array<u32, INVOCATIONS>;
var<workgroup> found: Found;

fn findBucket(kvHead: u32, wanted: u32, invocation: u32) -> Found {
  const RUN = BUCKETS / INVOCATIONS;
  let first = kvHead * BUCKETS + invocation * RUN;
  // Read once: whoever finds the bucket would else wait for memory bucket by bucket.
  var run: array<u32, RUN>;
  var own = 0u;
  for (var i = 0u; i < RUN; i++) {
    run[i] = histogram[first + i];
    own += run[i];
  }
  runSums[invocation] = own;
  if (invocation == 0u) { found = Found(0u, 0u); }
  workgroupBarrier();
  // Inclusive sums of the runs (Hillis and Steele).
  for (var reach = 1u; reach < shape.invocations; reach *= 2u) {
    var sum = runSums[invocation];
    if (invocation >= reach) { sum += runSums[invocation - reach]; }
    workgroupBarrier();
    runSums[invocation] = sum;
    workgroupBarrier();
  }
  var before = runSums[invocation] - own;
  if (before < wanted && wanted <= before + own) {
    var bucket = 0u;
    for (var i = 0u; i < RUN; i++) {
      if (bucket == i && before + run[i] < wanted) {
        before += run[i];
        bucket += 1u;
      }
    }
    found = Found(invocation * RUN + bucket, before);
  } else if (invocation == INVOCATIONS - 1u && before + own < wanted) {
    found = Found(BUCKETS, before + own);
  }
  return workgroupUniformLoad(&found);
}
