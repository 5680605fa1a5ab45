// Second pass of sampling: chooses one token, notes it as seen, and leaves it for the next step and
// for the CPU.
// Shapes: blocks as sample_blocks.wgsl left them; candidates [4096]; ring [ringSlots] of token ids;
//   history [historySlots], the newest tokens; token [≥ 1], whose first entry is written.
// Bindings: 0 settings, 1 logits, 2 seen (sample_logits.wgsl), 3 blocks, 4 candidates, 5 state,
//   6 history, 7 ring, 8 token.
// Mapping: one workgroup. Entry i of blocks and candidates is always touched by invocation
//   i mod INVOCATIONS, so none waits for another's writes.
// A draw is a race: token i arrives after an exponential time with rate e^(logit / temperature), the
//   first wins. It needs no order, no sums and no normalisation, and each token has its own number
//   from (seed, draws so far, token).
// Top-k and top-p take the largest remaining token again and again: the best block wins, and only that
//   block is searched anew. Without top-k at most 4096 tokens are taken, which bounds top-p too.
// Reference: engine/reference/sampling.ts.

struct Block { best: Best, mass: f32, broken: f32 }
struct Candidate {
  best: Best,
  // Σ e^(logit - highest) of the candidates before this one.
  massBefore: f32,
  unused: f32,
}
struct State {
  // Tokens chosen since the start: the generator's counter and the place in the ring.
  chosen: u32,
  // Tokens in the history, those of the prompt included.
  noted: u32,
}

@group(0) @binding(3) var<storage, read_write> blocks: array<Block>;
@group(0) @binding(4) var<storage, read_write> candidates: array<Candidate>;
@group(0) @binding(5) var<storage, read_write> state: State;
@group(0) @binding(6) var<storage, read_write> history: array<u32>;
@group(0) @binding(7) var<storage, read_write> ring: array<u32>;
@group(0) @binding(8) var<storage, read_write> token: array<u32>;

const CANDIDATES = 4096u;

// pcg3d of Jarzynski and Olano, "Hash Functions for GPU Rendering" (2020).
fn random(counter: vec3<u32>) -> u32 {
  var v = counter * 1664525u + 1013904223u;
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v ^= v >> vec3<u32>(16u);
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  return v.x;
}

// -ln(arrival time): larger is earlier. Short times decide, so their digits must be right: the series.
fn raced(logit: f32, id: u32, draw: u32) -> f32 {
  let uniform01 = min(f32(random(vec3<u32>(settings.seed, draw, id))) * 0x1p-32 + 0x1p-33, 0.99999994);
  let series = uniform01 * (1.0 + uniform01 * (0.5 + uniform01 * (1.0 / 3.0)));
  let time = select(-log(1.0 - uniform01), series, uniform01 < 0.01);
  return logit * settings.inverseTemperature - log(time);
}

fn bestBlock(invocation: u32) -> Best {
  var mine = Best(NOTHING, NO_TOKEN);
  for (var block = invocation; block < settings.blocks; block += INVOCATIONS) {
    let best = blocks[block].best;
    if (better(best, mine)) { mine = best; }
  }
  return bestOf(mine, invocation);
}

// The best token of a block that comes after `taken`.
fn bestAfter(taken: Best, block: u32, invocation: u32) -> Best {
  var mine = Best(NOTHING, NO_TOKEN);
  let end = min((block + 1u) * BLOCK_UNITS, (settings.vocabularySize + 3u) / 4u);
  for (var unit = block * BLOCK_UNITS + invocation; unit < end; unit += INVOCATIONS) {
    let four = logitsAt(unit);
//@unroll i 4
    let next$i = Best(four[$i], 4u * unit + $iu);
    if (next$i.logit > NOTHING && better(taken, next$i) && better(next$i, mine)) { mine = next$i; }
//@end
  }
  return bestOf(mine, invocation);
}

// A draw from all tokens not below `floor`.
fn drawFromAll(floor: f32, draw: u32, invocation: u32) -> u32 {
  var winner = Best(NOTHING, NO_TOKEN);
  let units = (settings.vocabularySize + 3u) / 4u;
  for (var unit = invocation; unit < units; unit += INVOCATIONS) {
    let four = logitsAt(unit);
//@unroll i 4
    let next$i = Best(raced(four[$i], 4u * unit + $iu, draw), 4u * unit + $iu);
    if (four[$i] >= floor && four[$i] > NOTHING && better(next$i, winner)) { winner = next$i; }
//@end
  }
  return bestOf(winner, invocation).token;
}

// A draw from the largest tokens: top-k, of these top-p, of these min-p.
fn drawFromLargest(first: Best, floor: f32, draw: u32, invocation: u32) -> u32 {
  var mass = 0.0;
  if (settings.topK == 0u) {
    for (var block = invocation; block < settings.blocks; block += INVOCATIONS) {
      mass += blocks[block].mass * exp(max(blocks[block].best.logit - first.logit, -88.0));
    }
  }
  let allMass = sumOf(mass, invocation);
  let limit = min(select(settings.topK, CANDIDATES, settings.topK == 0u), CANDIDATES);
  var count = 0u;
  var taken = 0.0;
  var next = first;
  while (count < limit && next.token != NO_TOKEN) {
    // With top-p the mass of the whole top-k is needed; without top-k it is known already.
    let belowFloor = next.logit < floor;
    let enough = select(belowFloor || taken >= settings.topP * allMass, belowFloor && settings.topP >= 1.0, settings.topK > 0u);
    if (count > 0u && enough) { break; }
    if (invocation == count % INVOCATIONS) { candidates[count] = Candidate(next, taken, 0.0); }
    taken += exp(max(next.logit - first.logit, -88.0));
    count += 1u;
    let block = next.token / BLOCK;
    let after = bestAfter(next, block, invocation);
    if (invocation == block % INVOCATIONS) { blocks[block].best = after; }
    next = bestBlock(invocation);
  }
  let nucleus = settings.topP * select(allMass, taken, settings.topK > 0u);
  var winner = Best(NOTHING, NO_TOKEN);
  for (var i = invocation; i < count; i += INVOCATIONS) {
    let candidate = candidates[i];
    let inNucleus = i == 0u || settings.topP >= 1.0 || candidate.massBefore < nucleus;
    if (inNucleus && candidate.best.logit >= floor) {
      let next = Best(raced(candidate.best.logit, candidate.best.token, draw), candidate.best.token);
      if (better(next, winner)) { winner = next; }
    }
  }
  return bestOf(winner, invocation).token;
}

// The token joins those that are penalised; the oldest of them leaves.
fn note(id: u32) {
  if (settings.penaltyTokens == 0u) { return; }
  if (state.noted >= settings.penaltyTokens) {
    seen[history[(state.noted - settings.penaltyTokens) % settings.historySlots]] -= 1u;
  }
  history[state.noted % settings.historySlots] = id;
  seen[id] += 1u;
  state.noted += 1u;
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(local_invocation_index) invocation: u32) {
  var faults = 0.0;
  for (var block = invocation; block < settings.blocks; block += INVOCATIONS) { faults += blocks[block].broken; }
  let broken = sumOf(faults, invocation) > 0.0;
  let draw = state.chosen;
  let first = bestBlock(invocation);
  var id = first.token;
  let floor = first.logit + settings.logMinP;
  if (!broken && id != NO_TOKEN) {
    if (settings.mode == 1u) { id = drawFromAll(floor, draw, invocation); }
    if (settings.mode == 2u) { id = drawFromLargest(first, floor, draw, invocation); }
  }
  if (invocation == 0u) {
    // NO_TOKEN in the ring tells the CPU that the logits were broken; the next step still gets a valid id.
    let failed = broken || id == NO_TOKEN;
    ring[draw % settings.ringSlots] = select(id, NO_TOKEN, failed);
    id = select(id, 0u, failed);
    token[0] = id;
    state.chosen = draw + 1u;
    note(id);
  }
}
