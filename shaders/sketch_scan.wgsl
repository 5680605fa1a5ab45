// Estimates query·key from the sketch, with the first planesRead of its planes:
//   query·centroid + (rotated query)·(rotated, quantised rest of the key),
// and with MASSES leaves the mass of what it scored of each head, for select_weigh.wgsl.
// Shapes: rotatedQueries, centroidScores as in sketch_query.wgsl; planes, tokenWords as in sketch_encode.wgsl;
//   scores [head][scoreStride] f32, -1e30 for sinks, which have no mass; masses [head][MASS_STRIDE].
//   With LIST only the tokens of a list are scored: list [kvHead][listStride] of positions, counts [kvHead];
//   score i is that of the list's entry i.
// Bindings: 0 numbers, 1 shape, 2 rotatedQueries (uniform: all invocations read the same word), 3 planes,
//   4 tokenWords, 5 centroidScores, 6 scores, with MASSES 7 masses, with LIST 8 list, 9 counts.
// Mapping: workgroup x = split of the entries (a run of them), which it goes through in tiles of
//   TOKENS · INVOCATIONS; y = key-value head; z = tile of HEADS of its query heads. Codes of four dimensions lie in
//   the bytes of a word and meet the query in one dot4I8Packed.
// Constants: INVOCATIONS, TOKENS (an invocation's at once), LIST, MASSES, PLANES, PAIRED (PLANES > 1), FOURFOLD (PLANES = 4),
//   WORDS, UNIT_WORDS (of a PlaneUnit; divides WORDS), LONE_WORD (UNIT_WORDS = 1), GROUP, HEADS,
//   QUERY_VEC4S (of rotatedQueries), SEGMENT_TOKENS, CLUSTERS (of a segment), SINK_TOKENS, SUBGROUPS, and then SUBGROUP_LANES.
// Alias: PlaneUnit, UNIT_WORDS words. With select_mass.wgsl.
// Reference: estimateScores in engine/reference/retrieval/sketch.ts, logSumExp in engine/reference/retrieval/select.ts.

struct Numbers { sealedTokens: u32, planesRead: u32 }
// invocations is INVOCATIONS, but not known to the compiler: some unroll loops around barriers.
struct Shape { capacityTokens: u32, scoreStride: u32, listStride: u32, block: u32, invocations: u32 }

@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<uniform> rotatedQueries: array<vec4<u32>, QUERY_VEC4S>;
@group(0) @binding(3) var<storage, read> planes: array<PlaneUnit>;
@group(0) @binding(4) var<storage, read> tokenWords: array<u32>;
@group(0) @binding(5) var<storage, read> centroidScores: array<f32>;
@group(0) @binding(6) var<storage, read_write> scores: array<f32>;
//@if MASSES
@group(0) @binding(7) var<storage, read_write> masses: array<Mass>;
//@end
//@if LIST
@group(0) @binding(8) var<storage, read> list: array<u32>;
@group(0) @binding(9) var<storage, read> counts: array<u32>;
//@end

const QUERY_STRIDE = u32(2 * WORDS + 1);
const LEVELS = f32(1 << PLANES);
const UNITS = u32(WORDS / UNIT_WORDS);
const TILE = u32(TOKENS * INVOCATIONS);
const NOTHING = -1e30;

//@if MASSES
//@if SUBGROUPS
// What each subgroup has of each head.
const PARTS = u32(INVOCATIONS / SUBGROUP_LANES);
//@else
const PARTS = u32(INVOCATIONS);
const LANES = u32(INVOCATIONS / HEADS);
//@end
var<workgroup> partials: array<Mass, HEADS * PARTS>;
//@end

//@if LONE_WORD
fn wordOf0(unit: PlaneUnit) -> u32 { return unit; }
//@else
//@unroll k UNIT_WORDS
fn wordOf$k(unit: PlaneUnit) -> u32 { return unit[$k]; }
//@end
//@end

// The codes of the dimensions j + (0, 8, 16, 24) of a word, for j = 0 … 3 and 4 … 7.
struct Codes { low: vec4<u32>, high: vec4<u32> }

//@if PAIRED
// Fields of two bits, of the dimensions 0, 2, 4 … and 1, 3, 5 ….
fn pairsOf(first: u32, second: u32) -> vec2<u32> {
  return vec2<u32>(((first << 1u) & 0xaaaaaaaau) | (second & 0x55555555u), (first & 0xaaaaaaaau) | ((second >> 1u) & 0x55555555u));
}

//@end
//@if FOURFOLD
// Fields of four bits: of x and y those of the dimensions 0, 4, 8 …, of z and w those two further on.
fn fourfoldOf(first: vec2<u32>, second: vec2<u32>) -> vec4<u32> {
  return vec4<u32>(
    ((first << vec2<u32>(2u)) & vec2<u32>(0xccccccccu)) | (second & vec2<u32>(0x33333333u)),
    (first & vec2<u32>(0xccccccccu)) | ((second >> vec2<u32>(2u)) & vec2<u32>(0x33333333u)),
  );
}

fn codesOf(bits0: u32, bits1: u32, bits2: u32, bits3: u32) -> Codes {
  let fields = fourfoldOf(pairsOf(bits0, bits1), pairsOf(bits2, bits3));
  return Codes(fields & vec4<u32>(0x0f0f0f0fu), (fields >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu));
}
//@else
//@if PAIRED
fn codesOf(bits0: u32, bits1: u32) -> Codes {
  let fields = pairsOf(bits0, bits1).xyxy;
  return Codes((fields >> vec4<u32>(0u, 0u, 2u, 2u)) & vec4<u32>(0x03030303u), (fields >> vec4<u32>(4u, 4u, 6u, 6u)) & vec4<u32>(0x03030303u));
}
//@else
fn codesOf(bits0: u32) -> Codes {
  let bits = vec4<u32>(bits0);
  return Codes((bits >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(0x01010101u), (bits >> vec4<u32>(4u, 5u, 6u, 7u)) & vec4<u32>(0x01010101u));
}
//@end
//@end

@compute @workgroup_size(INVOCATIONS)
@diagnostic(off, subgroup_uniformity)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let kvHead = workgroup.y;
  let firstHead = kvHead * GROUP + workgroup.z * HEADS;
  // The last tile may be short: it computes its last head again and does not write it.
  let lastHead = min(firstHead + HEADS, (kvHead + 1u) * GROUP) - 1u;
//@if LIST
  let entries = min(counts[kvHead], shape.listStride);
//@else
  let entries = numbers.sealedTokens;
//@end
  let tiles = (entries + workgroups.x * TILE - 1u) / (workgroups.x * TILE);
  let begin = min(entries, workgroup.x * tiles * TILE);
  let end = min(entries, begin + tiles * TILE);
  let clusterCapacity = shape.capacityTokens / 16u;
  let planeUnits = shape.capacityTokens * UNITS;

  // A prefix of the planes, the others left empty, stands for the middle of the codes that begin so.
  let middle = (f32(1u << (PLANES - numbers.planesRead)) - LEVELS) / 2.0;
//@unroll n HEADS
  let head$n = min(firstHead + $nu, lastHead);
  let query$n = head$n * QUERY_STRIDE;
//@if MASSES
  var mass$n = Mass(NOTHING, 0.0);
//@end
//@end
  for (var first = begin; first < end; first += TILE) {
//@unroll t TOKENS
    let entry$t = first + $tu * INVOCATIONS + invocation;
//@if LIST
    let token$t = list[kvHead * shape.listStride + min(entry$t, end - 1u)];
//@else
    let token$t = min(entry$t, end - 1u);
//@end
    let tokenWord$t = tokenWords[kvHead * shape.capacityTokens + token$t];
//@unroll n HEADS
    var product$t_$n = 0;
//@end
//@end
    for (var unit = 0u; unit < UNITS; unit++) {
//@unroll t TOKENS
      let place$t = (kvHead * PLANES * shape.capacityTokens + token$t) * UNITS + unit;
      let bits$t_0 = planes[place$t];
//@if PAIRED
      // Two planes are what is usually read of more: that needs no condition to wait for.
      let bits$t_1 = select(PlaneUnit(), planes[place$t + planeUnits], numbers.planesRead > 1u);
//@end
//@if FOURFOLD
      var bits$t_2 = PlaneUnit();
      var bits$t_3 = PlaneUnit();
      if (numbers.planesRead > 2u) {
        bits$t_2 = planes[place$t + 2u * planeUnits];
        bits$t_3 = select(PlaneUnit(), planes[place$t + 3u * planeUnits], numbers.planesRead > 3u);
      }
//@end
//@end
//@unroll k UNIT_WORDS
      {
//@unroll t TOKENS
//@if FOURFOLD
        let codes$t = codesOf(wordOf$k(bits$t_0), wordOf$k(bits$t_1), wordOf$k(bits$t_2), wordOf$k(bits$t_3));
//@else
//@if PAIRED
        let codes$t = codesOf(wordOf$k(bits$t_0), wordOf$k(bits$t_1));
//@else
        let codes$t = codesOf(wordOf$k(bits$t_0));
//@end
//@end
//@end
        let word = 2u * (unit * UNIT_WORDS + $ku);
//@unroll n HEADS
        {
          let low = rotatedQueries[query$n + word];
          let high = rotatedQueries[query$n + word + 1u];
//@unroll t TOKENS
//@unroll j 4
          product$t_$n += dot4I8Packed(codes$t.low[$j], low[$j]);
          product$t_$n += dot4I8Packed(codes$t.high[$j], high[$j]);
//@end
//@end
        }
//@end
      }
//@end
    }
//@unroll t TOKENS
    if (entry$t < end) {
      let scale = unpack2x16float(tokenWord$t).x;
      // Sinks are in none, and their score is not taken.
      let cluster = token$t / SEGMENT_TOKENS * CLUSTERS + min(tokenWord$t >> 16u, CLUSTERS - 1u);
      let isSink = token$t < SINK_TOKENS;
//@unroll n HEADS
      if (firstHead + $nu <= lastHead) {
        let scaleAndSum = bitcast<vec2<f32>>(rotatedQueries[query$n + 2u * WORDS].xy);
        let product = f32(product$t_$n) + middle * scaleAndSum.y;
        let score = centroidScores[head$n * clusterCapacity + cluster] + scale * scaleAndSum.x * product;
        scores[head$n * shape.scoreStride + entry$t] = select(score, NOTHING, isSink);
//@if MASSES
        if (!isSink) { mass$n = withScore(mass$n, score); }
//@end
      }
//@end
    }
//@end
  }

//@if MASSES
//@if SUBGROUPS
//@unroll n HEADS
  {
    let highest = subgroupMax(mass$n.highest);
    let total = subgroupAdd(mass$n.total * exp(max(mass$n.highest - highest, -88.0)));
    if (invocation % SUBGROUP_LANES == 0u) { partials[$nu * PARTS + invocation / SUBGROUP_LANES] = Mass(highest, total); }
  }
//@end
  workgroupBarrier();
  let head = firstHead + invocation;
  if (head <= lastHead) {
    var mass = partials[invocation * PARTS];
    for (var part = 1u; part < PARTS; part++) { mass = together(mass, partials[invocation * PARTS + part]); }
    masses[head * MASS_STRIDE + 1u + workgroup.x] = mass;
    if (workgroup.x == 0u) { masses[head * MASS_STRIDE] = Mass(f32(workgroups.x), 0.0); }
  }
//@else
//@unroll n HEADS
  partials[$nu * PARTS + invocation] = mass$n;
//@end
  workgroupBarrier();
  // As many lanes a head as there are; first each takes every LANES-th part.
  let laneHead = invocation / LANES;
  let lane = invocation % LANES;
  let parts = laneHead * PARTS;
  var mass = Mass(NOTHING, 0.0);
  if (laneHead < HEADS) {
    for (var part = lane; part < PARTS; part += LANES) { mass = together(mass, partials[parts + part]); }
  }
  workgroupBarrier();
  if (laneHead < HEADS) { partials[parts + lane] = mass; }
  for (var half = shape.invocations / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (laneHead < HEADS && lane < half && lane + half < LANES) {
      partials[parts + lane] = together(partials[parts + lane], partials[parts + lane + half]);
    }
  }
  let head = firstHead + laneHead;
  if (lane == 0u && head <= lastHead) {
    masses[head * MASS_STRIDE + 1u + workgroup.x] = partials[parts];
    if (workgroup.x == 0u) { masses[head * MASS_STRIDE] = Mass(f32(workgroups.x), 0.0); }
  }
//@end
//@end
}
