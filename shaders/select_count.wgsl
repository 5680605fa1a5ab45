// Fourth kernel of a selection (select_shared.wgsl): finds the key of the last wanted entry and counts, for
// each split, the entries before it and at it. Clears the coarse histogram.
// Shapes: entryCounts as in select_statistics.wgsl; histogram (the fine one) as in select_shared.wgsl; scores as select_weigh.wgsl
//   left them; boundaries as in select_resolve.wgsl; thresholds [kvHead]: that key and how many entries at
//   it are selected; splitCounts [kvHead][MAX_SPLITS]: entries of smaller and of equal key;
//   coarse [kvHead][BUCKETS] u32.
// Bindings: 0 shape, 1 numbers, 2 entryCounts, 3 scores, 4 histogram, 5 boundaries, 6 thresholds,
//   7 splitCounts, 8 coarse.
// Mapping: workgroup x = split, y = key-value head. With select_find.wgsl, workgroup_sums.wgsl.
// Reference: selectHeaviest in engine/reference/retrieval/select.ts.

struct Numbers { wanted: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<uniform> numbers: Numbers;
@group(0) @binding(2) var<storage, read> entryCounts: array<u32>;
@group(0) @binding(3) var<storage, read> scores: array<f32>;
@group(0) @binding(4) var<storage, read> histogram: array<u32>;
@group(0) @binding(5) var<storage, read> boundaries: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> thresholds: array<vec2<u32>>;
@group(0) @binding(7) var<storage, read_write> splitCounts: array<vec2<u32>>;
@group(0) @binding(8) var<storage, read_write> coarse: array<u32>;

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let kvHead = workgroup.y;
  let boundary = boundaries[kvHead];
  let inBucket = numbers.wanted - min(numbers.wanted, boundary.y);
  let last = findBucket(kvHead, inBucket, invocation);
  // Where there are fewer entries than wanted, all are before the threshold but the excluded ones.
  let everything = boundary.x == BUCKETS;
  let threshold = select((boundary.x << FINE_BITS) + last.bucket, EXCLUDED, everything);
  if (workgroup.x == 0u && invocation == 0u) {
    thresholds[kvHead] = vec2<u32>(threshold, select(inBucket - min(inBucket, last.before), 0u, everything));
  }
  let slice = sliceOf(entryCounts[kvHead], workgroup.x, workgroups.x);
  var mine = vec2<u32>();
  for (var entry = slice.x + invocation; entry < slice.y; entry += INVOCATIONS) {
    let key = keyOf(scores[kvHead * GROUP * shape.scoreStride + entry]);
    mine += vec2<u32>(u32(key < threshold), u32(key == threshold));
  }
  let ofSplit = sumsOf(mine, invocation).total;
  if (invocation == 0u) { splitCounts[kvHead * MAX_SPLITS + workgroup.x] = ofSplit; }
  let cleared = bucketsOf(workgroup.x, workgroups.x);
  for (var bucket = cleared.x + invocation; bucket < cleared.y; bucket += INVOCATIONS) { coarse[kvHead * BUCKETS + bucket] = 0u; }
}
