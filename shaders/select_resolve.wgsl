// Third kernel of a selection (select_shared.wgsl): finds the coarse bucket in which the last wanted entry
// lies and counts that bucket's entries in the fine histogram.
// Shapes: entryCounts as in select_statistics.wgsl; histogram (the coarse one), fine as in select_shared.wgsl; scores as
//   select_weigh.wgsl left them; boundaries [kvHead]: the bucket and the number of entries in those below.
// Bindings: 0 shape, 1 numbers, 2 entryCounts, 3 scores, 4 histogram, 5 fine, 6 boundaries.
// Mapping: workgroup x = split, y = key-value head. With select_find.wgsl, workgroup_sums.wgsl.
// Reference: selectHeaviest in engine/reference/retrieval/select.ts.

struct Numbers { wanted: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<uniform> numbers: Numbers;
@group(0) @binding(2) var<storage, read> entryCounts: array<u32>;
@group(0) @binding(3) var<storage, read> scores: array<f32>;
@group(0) @binding(4) var<storage, read> histogram: array<u32>;
@group(0) @binding(5) var<storage, read_write> fine: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> boundaries: array<vec2<u32>>;

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let kvHead = workgroup.y;
  let boundary = findBucket(kvHead, numbers.wanted, invocation);
  if (workgroup.x == 0u && invocation == 0u) { boundaries[kvHead] = vec2<u32>(boundary.bucket, boundary.before); }
  let slice = sliceOf(entryCounts[kvHead], workgroup.x, workgroups.x);
  for (var entry = slice.x + invocation; entry < slice.y; entry += INVOCATIONS) {
    let key = keyOf(scores[kvHead * GROUP * shape.scoreStride + entry]);
    if (key >> FINE_BITS == boundary.bucket) { atomicAdd(&fine[kvHead * BUCKETS + key % BUCKETS], 1u); }
  }
}
