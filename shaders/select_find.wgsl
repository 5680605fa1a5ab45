// Finds the bucket of `histogram` (declared by the kernel, [kvHead][BUCKETS] u32) in which the `wanted`-th
// entry lies. All invocations of the workgroup must call it. With workgroup_sums.wgsl.

// before: entries in the buckets below. bucket = BUCKETS when there are fewer than `wanted` entries.
struct Found { bucket: u32, before: u32 }

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
  // None is wanted: nobody finds that one.
  if (invocation == 0u) { found = Found(0u, 0u); }
  var before = sumsOf(vec2<u32>(own, 0u), invocation).before.x;
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
