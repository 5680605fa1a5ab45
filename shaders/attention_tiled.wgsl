// Causal attention of a tile of queries over a range of keys, with online softmax in f32.
// The queries of one key-value head are numbered row·group + (head in its group), so a tile of them
// shares its keys whether it comes from several rows (reading) or one (decoding).
// Shapes: queries, output [rows][heads][headDim] f32 (queries already scaled); keys, values
//   [kvHead][slot][headDim], slot = position % capacity; partials [split][rows·heads][headDim] f32;
//   logSumExps [split][rows·heads] f32.
// Bindings: 0 step, 1 shape, 2 queries, 3 keys, 4 values, 5 output, 6 partials, 7 logSumExps.
// Mapping: workgroup x = tile of TILE queries, y = key-value head, z = split of the keys. With one
//   split the output is written; with more, partials for attention_merge.wgsl. An invocation is a key
//   while scoring, then a (slice of keys, unit of four dimensions) while summing values.
// Constants: HEAD_UNITS = headDim / 4, TILE, INVOCATIONS = keys a block = 64, SLICES = 64 / HEAD_UNITS,
//   SLICED = SLICES > 1.
// For GPUs, and for any adapter without subgroups. Reference: attend in engine/reference/attention.ts.

struct Step { rows: u32, position: u32 }
struct Shape { heads: u32, kvHeads: u32, capacitySlots: u32, window: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> keys: array<KvUnit>;
@group(0) @binding(4) var<storage, read> values: array<KvUnit>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> partials: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> logSumExps: array<f32>;

const KEYS = 64u;
const PARTS = 64u / TILE;  // invocations that share a row of scores
const PART_KEYS = KEYS / PARTS;
// Stands for -infinity, which WGSL does not promise to handle.
const NOTHING = -1e30;

var<workgroup> tileQueries: array<vec4<f32>, TILE * HEAD_UNITS>;
var<workgroup> scores: array<f32, TILE * KEYS>;
var<workgroup> reduction: array<f32, 64>;
var<workgroup> rescales: array<f32, TILE>;
//@if SLICED
var<workgroup> stage: array<vec4<f32>, TILE * 64>;
//@end

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let group = shape.heads / shape.kvHeads;
  let kvHead = workgroup.y;
  let queryCount = step.rows * group;
  let firstQuery = workgroup.x * TILE;
  let lastQuery = min(firstQuery + TILE, queryCount) - 1u;
  let cacheBase = kvHead * shape.capacitySlots;

  // Keys that any query of the tile sees, and of those the part of this split.
  let tileEnd = step.position + lastQuery / group + 1u;
  let seenBy = step.position + firstQuery / group + 1u;
  let tileBegin = select(0u, seenBy - min(seenBy, shape.window), shape.window > 0u);
  let splitKeys = (tileEnd - tileBegin + workgroups.z - 1u) / workgroups.z;
  let begin = min(tileEnd, tileBegin + workgroup.z * splitKeys);
  let end = min(tileEnd, begin + splitKeys);

  for (var i = invocation; i < TILE * HEAD_UNITS; i += 64u) {
    let query = min(firstQuery + i / HEAD_UNITS, lastQuery);
    let head = (query / group) * shape.heads + kvHead * group + query % group;
    tileQueries[i] = queries[head * HEAD_UNITS + i % HEAD_UNITS];
  }

  let row = invocation / PARTS;
  let part = invocation % PARTS;
  let rowPosition = step.position + min(firstQuery + row, lastQuery) / group;
  let unit = invocation % HEAD_UNITS;
  let slice = invocation / HEAD_UNITS;
  var maximum = NOTHING;
  var sum = 0.0;
//@unroll r TILE
  var mixed$r = vec4<f32>();
//@end
  workgroupBarrier();

  for (var block = begin; block < end; block += KEYS) {
    // Scores: one key an invocation; keys past the end read the last one and are masked below.
    let key = (cacheBase + min(block + invocation, end - 1u) % shape.capacitySlots) * HEAD_UNITS;
//@unroll r TILE
    var score$r = 0.0;
//@end
    for (var u = 0u; u < HEAD_UNITS; u++) {
      let k = widen0(keys[key + u]);
//@unroll r TILE
      score$r += dot(tileQueries[$ru * HEAD_UNITS + u], k);
//@end
    }
//@unroll r TILE
    scores[$ru * KEYS + invocation] = score$r;
//@end
    workgroupBarrier();

    // Online softmax: PARTS invocations a row.
    var highest = NOTHING;
    for (var k = part; k < KEYS; k += PARTS) {
      let position = block + k;
      let inWindow = shape.window == 0u || position + shape.window > rowPosition;
      if (position < end && position <= rowPosition && inWindow) {
        highest = max(highest, scores[row * KEYS + k]);
      }
    }
    reduction[invocation] = highest;
    workgroupBarrier();
    let before = maximum;
    for (var p = 0u; p < PARTS; p++) { maximum = max(maximum, reduction[row * PARTS + p]); }
    let rescale = exp(max(before - maximum, -88.0));
    sum *= rescale;
    for (var k = part; k < KEYS; k += PARTS) {
      let position = block + k;
      let inWindow = shape.window == 0u || position + shape.window > rowPosition;
      var weight = 0.0;
      if (position < end && position <= rowPosition && inWindow) {
        weight = exp(max(scores[row * KEYS + k] - maximum, -88.0));
      }
      scores[row * KEYS + k] = weight;
      sum += weight;
    }
    if (part == 0u) { rescales[row] = rescale; }
    workgroupBarrier();

    // Values: each slice of invocations sums its share of the block's keys.
//@unroll r TILE
    mixed$r *= rescales[$r];
//@end
    if (slice < SLICES) {
      let blockKeys = min(KEYS, end - block);
      for (var k = slice; k < blockKeys; k += SLICES) {
        let v = widen0(values[(cacheBase + (block + k) % shape.capacitySlots) * HEAD_UNITS + unit]);
//@unroll r TILE
        mixed$r += scores[$ru * KEYS + k] * v;
//@end
      }
    }
    workgroupBarrier();
  }

  reduction[invocation] = sum;
  workgroupBarrier();
  var total = 0.0;
  for (var p = 0u; p < PARTS; p++) { total += reduction[row * PARTS + p]; }
  workgroupBarrier();
  if (part == 0u) {
    rescales[row] = select(0.0, 1.0 / total, total > 0.0);
    let query = firstQuery + row;
    if (query <= lastQuery && workgroups.z > 1u) {
      let head = (query / group) * shape.heads + kvHead * group + query % group;
      logSumExps[workgroup.z * step.rows * shape.heads + head] = select(NOTHING, maximum + log(total), total > 0.0);
    }
  }

  // Each slice has its sum over its own keys; slice 0 adds them up.
//@if SLICED
//@unroll r TILE
  stage[$ru * 64u + invocation] = mixed$r;
//@end
//@end
  workgroupBarrier();
  if (slice > 0u) { return; }
//@unroll r TILE
  if (firstQuery + $ru <= lastQuery) {
//@if SLICED
    for (var s = 1u; s < SLICES; s++) { mixed$r += stage[$ru * 64u + s * HEAD_UNITS + unit]; }
//@end
    let query = firstQuery + $ru;
    let head = (query / group) * shape.heads + kvHead * group + query % group;
    if (workgroups.z > 1u) {
      partials[(workgroup.z * step.rows * shape.heads + head) * HEAD_UNITS + unit] = mixed$r * rescales[$r];
    } else {
      output[head * HEAD_UNITS + unit] = mixed$r * rescales[$r];
    }
  }
//@end
}
