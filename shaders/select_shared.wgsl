// What the selection kernels share. For each key-value head, the `wanted` entries of largest combined weight
// are found by two histograms of keys that ascend as weights descend, then written in ascending order:
//
//   statistics   highest score and Σ e^score of each head, a split of the entries at a time; left out where the
//                kernel that scores leaves them
//   weigh        combined log-weight of each entry; coarse histogram
//   follow       raises the weights of entries behind heavy ones, where that is asked for
//   resolve      the coarse bucket in which the last wanted entry lies; fine histogram of it
//   count        the key of the last wanted entry; how many entries of each split are before and at it
//   write        the list; of the entries at that key the first ones, so that equal weights never overflow
//
// Histograms, coarse and fine [kvHead][BUCKETS] u32, are clear between selections: count clears the coarse one, write
// the fine one.
//
// Mapping: workgroup x = split of the entries (a run of them), y = head or key-value head.
// Constants: INVOCATIONS, GROUP (heads a key-value head), those of workgroup_sums.wgsl.
// Reference: engine/reference/retrieval/select.ts.

// scoreStride, listStride, maxSelected: entries that a row of scores, of the list, of the output has room for.
// invocations is INVOCATIONS, but not known to the compiler: some unroll loops around barriers, and then
// compile for seconds.
struct Shape { scoreStride: u32, listStride: u32, maxSelected: u32, invocations: u32 }

const MAX_SPLITS = 256u;
const BUCKETS = 2048u;
const FINE_BITS = 11u;
const NOTHING = -1e30;
// The key of entries that must not be selected, because their score is -1e30.
const EXCLUDED = 0xffffffffu;

fn isExcluded(score: f32) -> bool { return score < -1e29; }

// 22 bits that ascend with the distance from the largest possible log-weight, log GROUP: 5 of its exponent,
// 17 of its mantissa, so that two entries share a key only if they differ by less than 2^-17 of that
// distance (or are both within 2^-8 of it).
fn keyOf(logWeight: f32) -> u32 {
  if (isExcluded(logWeight)) { return EXCLUDED; }
  let distance = clamp(log(f32(GROUP)) - logWeight, 0x1p-8, 16777215.0);
  return (bitcast<u32>(distance) - bitcast<u32>(0x1p-8f)) >> 6u;
}

// First and last + 1 bucket of a head's histogram that a split clears.
fn bucketsOf(split: u32, splits: u32) -> vec2<u32> {
  let share = (BUCKETS + splits - 1u) / splits;
  return vec2<u32>(min(BUCKETS, split * share), min(BUCKETS, (split + 1u) * share));
}

// First and last + 1 entry of a split; a whole number of rounds of the workgroup.
fn sliceOf(entries: u32, split: u32, splits: u32) -> vec2<u32> {
  let rounds = (entries + splits * INVOCATIONS - 1u) / (splits * INVOCATIONS);
  let begin = min(entries, split * rounds * INVOCATIONS);
  return vec2<u32>(begin, min(entries, begin + rounds * INVOCATIONS));
}
