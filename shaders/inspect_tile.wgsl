// A tile of attention, without ever making the matrix: rows × keys in buckets, and for each cell the summed weight of
// the chosen heads, the largest single weight, and the key that has it. Weights are exp(score − log-sum-exp of the
// row), so that the cells of a row over all its keys add up to the number of its heads. What a cell holds is added to:
// keys of several ranges and several layers make one tile.
// Shapes: queries, keys, logSums as in inspect_log_sums.wgsl; chosen: for each key-value head how many of its heads are
//   chosen, then [kvHeads][heads] which; sums, peaks [buckets of rows][columns] f32, peakKeys the same of positions.
// Bindings: 0 range (inspect_range.wgsl), 1 queries, 2 keys, 3 logSums, 4 chosen, 5 sums, 6 peaks, 7 peakKeys.
// Mapping: workgroup y = bucket of rows. NARROW: x = 64 columns, an invocation each. Otherwise x = column, whose keys
//   the 64 invocations share. An invocation has KEYS of its keys in hand at once.
// Constants: UNITS = headDim / 4; VECTOR_UNITS = units of a stored vector; KEYS; EIGHT_BIT; NARROW.
// Reference: attentionTile in engine/reference/inspect.ts.

@group(0) @binding(0) var<uniform> range: Range;
@group(0) @binding(1) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(3) var<storage, read> logSums: array<f32>;
@group(0) @binding(4) var<storage, read> chosen: array<u32>;
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;
@group(0) @binding(6) var<storage, read_write> peaks: array<f32>;
@group(0) @binding(7) var<storage, read_write> peakKeys: array<u32>;

const INVOCATIONS = 64u;

//@if !NARROW
var<workgroup> partSums: array<f32, INVOCATIONS>;
var<workgroup> partPeaks: array<f32, INVOCATIONS>;
var<workgroup> partKeys: array<u32, INVOCATIONS>;
//@end

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let firstRow = range.firstRow + workgroup.y * range.rowsPerBucket;
  let rows = min(range.rowsPerBucket, range.endRow - firstRow);
//@if NARROW
  let column = workgroup.x * INVOCATIONS + invocation;
  const STRIDE = 1u;
  const SHIFT = 0u;
//@else
  let column = workgroup.x;
  const STRIDE = INVOCATIONS;
  let SHIFT = invocation;
//@end
  let bucket = range.fromKey + column * range.keysPerBucket;
  let begin = max(bucket, range.firstKey);
  let end = select(0u, min(min(bucket + range.keysPerBucket, range.toKey), range.endKey), column < range.columns);

  var sum = 0.0;
  var peak = 0.0;
  var peakKey = 0u;
  for (var kvHead = 0u; kvHead < range.kvHeads; kvHead++) {
    let count = chosen[kvHead];
    let list = range.kvHeads + kvHead * range.heads;
    let queryCount = rows * count;
    for (var first = 0u; first < queryCount; first += 4u) {
//@unroll r 4
      let query$r = min(first + $ru, queryCount - 1u);
      let row$r = firstRow + query$r / count;
      let head$r = row$r * range.heads + chosen[list + query$r % count];
      let position$r = range.position + row$r;
//@end
      let positions = vec4<u32>(position0, position1, position2, position3);
      let firsts = vec4<u32>(firstSeen(position0), firstSeen(position1), firstSeen(position2), firstSeen(position3));
      let logSum = vec4<f32>(logSums[head0], logSums[head1], logSums[head2], logSums[head3]);
      let counted = vec4<u32>(first, first + 1u, first + 2u, first + 3u) < vec4<u32>(queryCount);
      for (var nearest = begin + SHIFT; nearest < end; nearest += KEYS * STRIDE) {
//@unroll j KEYS
        let key$j = nearest + $ju * STRIDE;
        let vector$j = vectorOf(kvHead, min(key$j, end - 1u));
        var scores$j = vec4<f32>();
//@end
        for (var u = 0u; u < UNITS; u++) {
//@unroll r 4
          let of$r = queries[head$r * UNITS + u];
//@end
//@unroll j KEYS
          let k$j = widen0(keys[vector$j + u]);
          scores$j += vec4<f32>(dot(of0, k$j), dot(of1, k$j), dot(of2, k$j), dot(of3, k$j));
//@end
        }
//@unroll j KEYS
        {
//@if EIGHT_BIT
          scores$j *= bitcast<f32>(keys[vector$j + UNITS]);
//@end
          let seen = (vec4<u32>(key$j) <= positions) & (vec4<u32>(key$j) >= firsts) & counted & vec4<bool>(key$j < end);
          let weights = select(vec4<f32>(), exp(clamp(scores$j - logSum, vec4<f32>(-88.0), vec4<f32>())), seen);
          sum += (weights.x + weights.y) + (weights.z + weights.w);
          let largest = max(max(weights.x, weights.y), max(weights.z, weights.w));
          if (largest > peak) {
            peak = largest;
            peakKey = key$j;
          }
        }
//@end
      }
    }
  }

//@if NARROW
  if (column >= range.columns) { return; }
//@else
  partSums[invocation] = sum;
  partPeaks[invocation] = peak;
  partKeys[invocation] = peakKey;
  workgroupBarrier();
  if (invocation > 0u) { return; }
  for (var i = 1u; i < INVOCATIONS; i++) {
    sum += partSums[i];
    if (partPeaks[i] > peak) {
      peak = partPeaks[i];
      peakKey = partKeys[i];
    }
  }
//@end
  let cell = workgroup.y * range.columns + column;
  sums[cell] += sum;
  if (peak > peaks[cell]) {
    peaks[cell] = peak;
    peakKeys[cell] = peakKey;
  }
}
