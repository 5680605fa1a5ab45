// A layer of attention and a dense feed-forward for one row, by one team:
//     hidden += Wo · attention(rope(Wq·n), rope(Wk·n), Wv·n)      n = rms(hidden) · attention_gain
//     hidden += Wdown · (activation(Wgate·n) ⊙ Wup·n)             n = rms(hidden) · feed_gain
// Shapes: hidden and gains f32 [HIDDEN]; keys, values f32 [kvHead][CAPACITY][HEAD_DIM], slot = position % CAPACITY;
//   angles [ROTATED / 2] of (cos, sin); matrix 0 [(HEADS + 2 · KV_HEADS) · HEAD_DIM][HIDDEN] (queries | keys | values),
//   1 [HIDDEN][HEADS · HEAD_DIM], 2 [2 · WIDTH][HIDDEN] (gates | ups), 3 [HIDDEN][WIDTH], all of one format.
//   work f32: projections | queries | a row of its own for each member | partial results and log-sum-exps of each
//   member | what gates let through; see workOfLayer in engine/layers/team/layer.ts.
// Bindings: 0 shape (for the weights' zero point, epsilon, and the queries' scale as multiplier), 1 step, 2 hidden, 3 meeting, 4 … 11 matrices,
//   12 attention_gain, 13 feed_gain, 14 work, 15 angles, 16 keys, 17 values.
// Mapping: workgroup x = member, one subgroup each. Members take runs of LANES · COLUMNS columns in turn, head vectors in
//   turn, and a part each of the keys. What a lane reads of its member's own row it wrote itself.
// Constants: those of matmul_row_sums.wgsl with MATRICES = 4; HIDDEN, WIDTH, HEADS, KV_HEADS, HEAD_DIM, ROTATED, HALVES
//   (pairs are (i, i + ROTATED / 2), else (2i, 2i + 1)), CAPACITY, WINDOW (0: all), TILE_HEADS of a key-value head's at
//   once, LOADS = ceil(HEAD_DIM / 4 / LANES), OWN and LSE (numbers of an own row and of a member's log-sum-exps), FUSED, GELU.
// Reference: normaliseRows, multiply, rotate, attend and gate in engine/reference. Texts: matmul_weights.wgsl,
//   matmul_row_sums.wgsl, activation.wgsl, team.wgsl, kv_load.wgsl (for f32), multiply_add.wgsl.

@group(0) @binding(2) var<storage, read_write> hidden: array<vec4<f32>>;
@group(0) @binding(12) var<storage, read> attention_gain: array<vec4<f32>>;
@group(0) @binding(13) var<storage, read> feed_gain: array<vec4<f32>>;
@group(0) @binding(14) var<storage, read_write> work: array<vec4<f32>>;
@group(0) @binding(15) var<storage, read> angles: array<vec2<f32>>;
@group(0) @binding(16) var<storage, read_write> keys: array<vec4<f32>>;
@group(0) @binding(17) var<storage, read_write> values: array<vec4<f32>>;

const QUERIES = HEADS * HEAD_DIM;
const VECTORS = HEADS + 2u * KV_HEADS;
const RUN = LANES * COLUMNS;
// Of work.
const AT_QUERIES = VECTORS * HEAD_DIM;
const AT_OWN = AT_QUERIES + QUERIES;

const HEAD_UNITS = HEAD_DIM / 4u;
const MASKED = -1e30;
const LOWEST = -1e20;
const SLACK = 8.0;

fn row_quad(place: u32) -> vec4<f32> { return work[place]; }
fn number(place: u32) -> f32 { return work[place / 4u][place % 4u]; }
fn add(place: u32, value: f32) { hidden[place / 4u][place % 4u] += value; }
fn put(place: u32, value: f32) { work[place / 4u][place % 4u] = value; }

// The member's own row becomes the normalised hidden row; a lane writes the quads that it reads in products.
fn normalise(own: u32, feeds: bool, lane: u32) {
  var squares = 0.0;
  for (var unit = lane; unit < HIDDEN / 4u; unit += LANES) { squares += dot(hidden[unit], hidden[unit]); }
  let scale = inverseSqrt(subgroupAdd(squares) / f32(HIDDEN) + shape.epsilon);
  for (var unit = lane; unit < HIDDEN / 4u; unit += LANES) {
    work[own / 4u + unit] = hidden[unit] * scale * select(attention_gain[unit], feed_gain[unit], feeds);
  }
}

// Rotates, scales and stores one head vector of the projections.
fn rotate(vector: u32, slot: u32, lane: u32) {
  let is_query = vector < HEADS;
  let is_key = !is_query && vector < HEADS + KV_HEADS;
  let cache = (select(vector - HEADS - KV_HEADS, vector - HEADS, is_key) * CAPACITY + slot) * HEAD_DIM;
  for (var pair = lane; pair < HEAD_DIM / 2u; pair += LANES) {
    let turns = pair < ROTATED / 2u;
//@if HALVES
    let first = select(2u * pair, pair, turns);
    let second = select(2u * pair + 1u, pair + ROTATED / 2u, turns);
//@else
    let first = 2u * pair;
    let second = first + 1u;
//@end
    var a = number(vector * HEAD_DIM + first);
    var b = number(vector * HEAD_DIM + second);
    if (turns && (is_query || is_key)) {
      let angle = angles[pair];
      let turned = a * angle.x - b * angle.y;
      b = a * angle.y + b * angle.x;
      a = turned;
    }
    if (is_query) {
      put(AT_QUERIES + vector * HEAD_DIM + first, a * shape.multiplier);
      put(AT_QUERIES + vector * HEAD_DIM + second, b * shape.multiplier);
    } else if (is_key) {
      keys[(cache + first) / 4u][first % 4u] = a;
      keys[(cache + second) / 4u][second % 4u] = b;
    } else {
      values[(cache + first) / 4u][first % 4u] = a;
      values[(cache + second) / 4u][second % 4u] = b;
    }
  }
}

// Attention of TILE_HEADS heads that share a key-value head over [begin, end), as in attention_lanes_decode.wgsl.
@diagnostic(off, subgroup_uniformity)
fn attend(kv_head: u32, first_head: u32, begin: u32, end: u32, partial: u32, lane: u32) {
  let last_head = min(first_head + TILE_HEADS, (kv_head + 1u) * (HEADS / KV_HEADS)) - 1u;
  let cache = kv_head * CAPACITY;
//@unroll j LOADS
  let unit$j = min($ju * LANES + lane, HEAD_UNITS - 1u);
//@end
//@unroll n TILE_HEADS
  var maximum$n = LOWEST;
  var sum$n = 0.0;
//@unroll j LOADS
  var query$n_$j = select(vec4<f32>(), row_quad((AT_QUERIES + min(first_head + $nu, last_head) * HEAD_DIM) / 4u + unit$j), $ju * LANES + lane < HEAD_UNITS);
  var mixed$n_$j = vec4<f32>();
//@end
//@end
  var slot = begin % CAPACITY;
  for (var block = begin; block < end; block += LANES) {
    let my_slot = min(slot + lane - select(0u, CAPACITY, slot + lane >= CAPACITY), CAPACITY - 1u);
    let key = (cache + my_slot) * HEAD_UNITS;
//@unroll n TILE_HEADS
    var s$n = vec4<f32>();
//@end
//@unroll j LOADS
//@unroll l LANES
    if ($ju * LANES + $lu < HEAD_UNITS) {
      let k = keys[key + $ju * LANES + $lu];
//@unroll n TILE_HEADS
      s$n = multiplyAdd(subgroupBroadcast(query$n_$j, $lu), k, s$n);
//@end
    }
//@end
//@end
    let seen = block + lane < end;
    var passed = MASKED;
//@unroll n TILE_HEADS
    let score$n = select(MASKED, (s$n.x + s$n.y) + (s$n.z + s$n.w), seen);
    passed = max(passed, score$n - maximum$n);
//@end
    if (subgroupAny(passed > SLACK)) {
//@unroll n TILE_HEADS
      let raised$n = max(maximum$n, subgroupMax(score$n));
      let rescale$n = exp(maximum$n - raised$n);
      maximum$n = raised$n;
      sum$n *= rescale$n;
//@unroll j LOADS
      mixed$n_$j *= rescale$n;
//@end
//@end
    }
//@unroll n TILE_HEADS
    let weight$n = select(0.0, exp(score$n - maximum$n), seen);
    sum$n += weight$n;
//@end
//@unroll l LANES
    {
      let slot_of_key = min(slot + $lu - select(0u, CAPACITY, slot + $lu >= CAPACITY), CAPACITY - 1u);
//@unroll j LOADS
      let v$j = values[(cache + slot_of_key) * HEAD_UNITS + unit$j];
//@end
//@unroll n TILE_HEADS
      let w$n = vec4<f32>(subgroupBroadcast(weight$n, $lu));
//@unroll j LOADS
      mixed$n_$j = multiplyAdd(w$n, v$j, mixed$n_$j);
//@end
//@end
    }
//@end
    slot += LANES;
    slot -= select(0u, CAPACITY, slot >= CAPACITY);
  }
//@unroll n TILE_HEADS
  if (first_head + $nu <= last_head) {
    let total = subgroupAdd(sum$n);
    let scale = select(0.0, 1.0 / total, total > 0.0);
//@unroll j LOADS
    if ($ju * LANES + lane < HEAD_UNITS) {
      work[(partial + (first_head + $nu) * HEAD_DIM) / 4u + unit$j] = mixed$n_$j * scale;
    }
//@end
    if (lane == 0u) { put(partial + QUERIES + first_head + $nu, select(MASKED, maximum$n + log(total), total > 0.0)); }
  }
//@end
}

// The member's own row becomes attention over all keys: the members' parts, merged by their log-sum-exps.
fn merge(own: u32, parts: u32, members: u32, lane: u32) {
  for (var unit = lane; unit < QUERIES / 4u; unit += LANES) {
    let head = unit / HEAD_UNITS;
    var highest = MASKED;
    for (var m = 0u; m < members; m++) { highest = max(highest, number(parts + m * (QUERIES + LSE) + QUERIES + head)); }
    var total = 0.0;
    var merged = vec4<f32>();
    for (var m = 0u; m < members; m++) {
      let part = parts + m * (QUERIES + LSE);
      let lse = number(part + QUERIES + head);
      let weight = select(0.0, exp(max(lse - highest, -88.0)), lse > -1e29);
      total += weight;
      merged += weight * row_quad(part / 4u + unit);
    }
    work[own / 4u + unit] = merged * (1.0 / total);
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let member = group.x;
  let members = groups.x;
  let own = AT_OWN + member * OWN;
  let parts = AT_OWN + members * OWN;
  let gated = parts + members * (QUERIES + LSE);

  normalise(own, false, lane);
  for (var first = member * RUN; first < VECTORS * HEAD_DIM; first += members * RUN) {
    let sums = sums_of0(first + lane, VECTORS * HEAD_DIM - 1u, HIDDEN / 32u, own / 4u, lane);
//@unroll c COLUMNS
    if (first + lane + $cu * LANES < VECTORS * HEAD_DIM) { put(first + lane + $cu * LANES, sums.sum$c); }
//@end
  }
  var met = meet(lane, members, 0u);
  for (var vector = member; vector < VECTORS; vector += members) { rotate(vector, step.position % CAPACITY, lane); }
  met = meet(lane, members, met);
  let seen_end = step.position + 1u;
  let seen_begin = select(0u, seen_end - min(seen_end, WINDOW), WINDOW > 0u);
  let part_keys = (seen_end - seen_begin + members - 1u) / members;
  let begin = min(seen_end, seen_begin + member * part_keys);
  for (var kv_head = 0u; kv_head < KV_HEADS; kv_head++) {
    for (var head = 0u; head < HEADS / KV_HEADS; head += TILE_HEADS) {
      attend(kv_head, kv_head * (HEADS / KV_HEADS) + head, begin, min(seen_end, begin + part_keys), parts + member * (QUERIES + LSE), lane);
    }
  }
  met = meet(lane, members, met);
  merge(own, parts, members, lane);
  for (var first = member * RUN; first < HIDDEN; first += members * RUN) {
    let sums = sums_of1(first + lane, HIDDEN - 1u, QUERIES / 32u, own / 4u, lane);
//@unroll c COLUMNS
    if (first + lane + $cu * LANES < HIDDEN) { add(first + lane + $cu * LANES, sums.sum$c); }
//@end
  }
  met = meet(lane, members, met);
  normalise(own, true, lane);
  for (var first = member * RUN; first < WIDTH; first += members * RUN) {
//@unroll c COLUMNS
    var gate$c = 0.0;
//@end
    for (var half = 0u; half < 2u; half++) {
      let sums = sums_of2(first + lane + half * WIDTH, (1u + half) * WIDTH - 1u, HIDDEN / 32u, own / 4u, lane);
//@unroll c COLUMNS
      {
        let column = first + lane + $cu * LANES;
        if (half == 0u) { gate$c = sums.sum$c; } else if (column < WIDTH) { put(gated + column, activate(vec4<f32>(gate$c)).x * sums.sum$c); }
      }
//@end
    }
  }
  _ = meet(lane, members, met);
  for (var first = member * RUN; first < HIDDEN; first += members * RUN) {
    let sums = sums_of3(first + lane, HIDDEN - 1u, WIDTH / 32u, gated / 4u, lane);
//@unroll c COLUMNS
    if (first + lane + $cu * LANES < HIDDEN) { add(first + lane + $cu * LANES, sums.sum$c); }
//@end
  }
  leave(lane, members);
}
