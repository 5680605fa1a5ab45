// Sums over the members of a cluster, in an order that depends on nothing but the assignment, so that the same keys
// give the same bits. An invocation is a (slice of the members, unit of four dimensions).
// Binding: 4 tokenWords (cluster_assign.wgsl).
// Constants: those of cluster_segment.wgsl; INVOCATIONS >= HEAD_UNITS, SLICES = INVOCATIONS / HEAD_UNITS.

@group(0) @binding(4) var<storage, read> tokenWords: array<u32>;

const MEMBER_WORDS = SEGMENT_TOKENS / 32;

var<workgroup> memberBits: array<atomic<u32>, MEMBER_WORDS>;
var<workgroup> members: array<u32, SEGMENT_TOKENS>;

/// Fills `members` with the cluster's tokens in ascending order and returns how many there are.
fn listMembers(kvHead: u32, cluster: u32, invocation: u32) -> u32 {
  let firstWord = kvHead * shape.capacityTokens + segment.index * SEGMENT_TOKENS;
  for (var token = invocation; token < SEGMENT_TOKENS; token += INVOCATIONS) {
    if (tokenWords[firstWord + token] >> 16u == cluster) { atomicOr(&memberBits[token / 32u], 1u << (token % 32u)); }
  }
  workgroupBarrier();
  for (var token = invocation; token < SEGMENT_TOKENS; token += INVOCATIONS) {
    let bits = atomicLoad(&memberBits[token / 32u]);
    if (((bits >> (token % 32u)) & 1u) == 0u) { continue; }
    var rank = countOneBits(bits & ((1u << (token % 32u)) - 1u));
    for (var word = 0u; word < token / 32u; word++) { rank += countOneBits(atomicLoad(&memberBits[word])); }
    members[rank] = token;
  }
  var count = 0u;
  for (var word = 0u; word < MEMBER_WORDS; word++) { count += countOneBits(atomicLoad(&memberBits[word])); }
  workgroupBarrier();
  return count;
}
