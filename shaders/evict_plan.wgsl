// Which tokens each row of a step sees, and what the cache keeps after it. When a token leaves the window its head keeps it
// if its score is above 0 and it is among the best BUDGET of those that left before (of equal ones the earlier); the first
// `sinks` tokens always. Rows are taken one after another, so how a prompt is cut into chunks changes nothing.
// A source is where a token lies before the step: a slot of the cache (the budget, then the window, whose slot is the
// position modulo its size), or behind these a row of the step.
// Shapes: scores [kvHead][maxRows] f32: of row i that of the token `lead` before it; metaIn, metaOut [kvHead][slots] of
//   (position, bits of the score); until [kvHead][slots + maxRows]: the first position from which the source's token is not
//   seen; sources [kvHead][slots]: what each slot is to hold after the step.
// Bindings: 0 step, 1 shape, 2 scores, 3 metaIn, 4 metaOut, 5 until, 6 sources.
// Mapping: a workgroup a key head; invocations share the slots and the search for the worst token kept.
// Constants: INVOCATIONS, BUDGET. Reference: keptTokens in engine/reference/evicting.ts.

struct Step { rows: u32, position: u32 }
struct Shape { maxRows: u32, window: u32, sinks: u32, lead: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> scores: array<f32>;
@group(0) @binding(3) var<storage, read> metaIn: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> metaOut: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> until: array<u32>;
@group(0) @binding(6) var<storage, read_write> sources: array<u32>;

const none = 0xffffffffu;
const forever = 0xffffffffu;
const sinkScore = 3e38;

var<workgroup> keptSource: array<u32, BUDGET>;
var<workgroup> keptPosition: array<u32, BUDGET>;
var<workgroup> keptScore: array<f32, BUDGET>;
var<workgroup> worst: array<u32, INVOCATIONS>;
var<workgroup> worstScore: f32;
var<workgroup> held: atomic<u32>;
var<workgroup> count: u32;

fn scoreOf(head: u32, token: u32) -> f32 {
  if (token < shape.sinks) { return sinkScore; }
  if (token + shape.lead >= step.position) { return scores[head * shape.maxRows + token + shape.lead - step.position]; }
  return bitcast<f32>(metaIn[head * (BUDGET + shape.window) + BUDGET + token % shape.window].y);
}

// Whether the kept token a is to go before b.
fn worse(a: u32, b: u32) -> bool {
  return keptScore[a] < keptScore[b] || (keptScore[a] == keptScore[b] && keptPosition[a] > keptPosition[b]);
}

// The last position before `end` whose slot of the window is `slot`.
fn windowPosition(slot: u32, end: u32) -> u32 {
  if (end == 0u) { return none; }
  let back = (end - 1u + shape.window - slot) % shape.window;
  return select(none, end - 1u - back, back < end);
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let head = workgroup.x;
  let slots = BUDGET + shape.window;
  let base = head * (slots + shape.maxRows);
  let begin = step.position;
  let end = begin + step.rows;
  for (var slot = invocation; slot < BUDGET; slot += INVOCATIONS) {
    let meta_ = metaIn[head * slots + slot];
    let full = begin > 0u && meta_.x != none;
    until[base + slot] = select(0u, forever, full);
    if (!full) { continue; }
    keptSource[slot] = slot;
    keptPosition[slot] = meta_.x;
    keptScore[slot] = bitcast<f32>(meta_.y);
    atomicAdd(&held, 1u);
  }
  for (var slot = invocation; slot < shape.window; slot += INVOCATIONS) {
    let token = windowPosition(slot, begin);
    until[base + BUDGET + slot] = select(token + shape.window, 0u, token == none);
  }
  for (var row = invocation; row < step.rows; row += INVOCATIONS) { until[base + slots + row] = begin + row + shape.window; }
  workgroupBarrier();
  if (invocation == 0u) { count = atomicLoad(&held); }
  var kept = workgroupUniformLoad(&count);

  // The tokens that leave the window, one a row.
  let firstLeaving = max(begin, shape.window);
  for (var position = firstLeaving; position < end; position++) {
    storageBarrier();
    workgroupBarrier();
    let token = position - shape.window;
    let score = scoreOf(head, token);
    if (!(score > 0.0)) { continue; }
    var place = kept;
    let crowded = kept == BUDGET;
    if (crowded) {
      var own = min(invocation, BUDGET - 1u);
      for (var one = own + INVOCATIONS; one < BUDGET; one += INVOCATIONS) { if (worse(one, own)) { own = one; } }
      worst[invocation] = own;
      for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (invocation < half && worse(worst[invocation + half], worst[invocation])) { worst[invocation] = worst[invocation + half]; }
      }
      place = workgroupUniformLoad(&worst[0]);
      if (invocation == 0u) { worstScore = keptScore[place]; }
      // The token itself is the latest, so of equal ones it goes.
      if (workgroupUniformLoad(&worstScore) >= score) { continue; }
    } else {
      kept += 1u;
    }
    if (invocation == 0u) {
      if (crowded) { until[base + keptSource[place]] = position; }
      let source = select(slots + token - begin, BUDGET + token % shape.window, token < begin);
      keptSource[place] = source;
      keptPosition[place] = token;
      keptScore[place] = score;
      until[base + source] = forever;
    }
  }
  workgroupBarrier();
  for (var slot = invocation; slot < BUDGET; slot += INVOCATIONS) {
    let full = slot < kept;
    sources[head * slots + slot] = select(none, keptSource[slot], full);
    metaOut[head * slots + slot] = select(vec2<u32>(none, 0u), vec2<u32>(keptPosition[slot], bitcast<u32>(keptScore[slot])), full);
  }
  for (var slot = invocation; slot < shape.window; slot += INVOCATIONS) {
    let token = windowPosition(slot, end);
    let place = head * slots + BUDGET + slot;
    if (token == none) {
      sources[place] = none;
      metaOut[place] = vec2<u32>(none, 0u);
      continue;
    }
    sources[place] = select(BUDGET + slot, slots + token - begin, token >= begin);
    var score = 0.0;
    if (token + shape.lead < end) { score = scoreOf(head, token); }
    metaOut[place] = vec2<u32>(token, bitcast<u32>(score));
  }
}
