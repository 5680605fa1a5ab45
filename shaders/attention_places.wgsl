// Softmax attention of one query over places 0 … count − 1, by a workgroup: scores of a tile of places lie in workgroup
// memory, their largest is found once a tile, and slices of the workgroup add up values side by side.
// The kernel that uses it defines  score_of(place) → f32 (`unseen` for places that do not count),  and
// value_at(place, unit) → vec4. To be called by all invocations together; `units` (vec4s of a head) at most INVOCATIONS.
// Constants: INVOCATIONS, a power of two. Reference: attention in the kernel's own.

const unseen = -3e38;
const tile_places = 1024u;

struct Attended {
  // The largest score and the sum of e^(score − top).
  top: f32,
  total: f32,
  // Of unit `invocation`, if there is one.
  value: vec4<f32>,
}

var<workgroup> tile_weights: array<f32, tile_places>;
var<workgroup> tile_numbers: array<f32, INVOCATIONS>;
var<workgroup> tile_values: array<vec4<f32>, INVOCATIONS>;

fn largest_of_all(mine: f32, invocation: u32) -> f32 {
  tile_numbers[invocation] = mine;
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { tile_numbers[invocation] = max(tile_numbers[invocation], tile_numbers[invocation + half]); }
  }
  return workgroupUniformLoad(&tile_numbers[0]);
}

fn sum_of_all(mine: f32, invocation: u32) -> f32 {
  tile_numbers[invocation] = mine;
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { tile_numbers[invocation] += tile_numbers[invocation + half]; }
  }
  return workgroupUniformLoad(&tile_numbers[0]);
}

fn attend(count: u32, units: u32, invocation: u32) -> Attended {
  let slices = INVOCATIONS / units;
  let unit = invocation % units;
  let slice = invocation / units;
  var top = unseen;
  var total = 0.0;
  var sum = vec4<f32>();
  for (var first = 0u; first < count; first += tile_places) {
    let places = min(tile_places, count - first);
    var own_best = unseen;
    for (var place = invocation; place < places; place += INVOCATIONS) {
      let score = score_of(first + place);
      tile_weights[place] = score;
      own_best = max(own_best, score);
    }
    let best = max(top, largest_of_all(own_best, invocation));
    let shrunk = exp(top - best);
    total *= shrunk;
    for (var place = invocation; place < places; place += INVOCATIONS) {
      let score = tile_weights[place];
      let weight = select(exp(score - best), 0.0, score == unseen);
      tile_weights[place] = weight;
      total += weight;
    }
    workgroupBarrier();
    sum *= shrunk;
    if (slice < slices) {
      for (var place = slice; place < places; place += slices) {
        let weight = tile_weights[place];
        if (weight > 0.0) { sum += weight * value_at(first + place, unit); }
      }
    }
    top = best;
    workgroupBarrier();
  }
  tile_values[invocation] = sum;
  let all = sum_of_all(total, invocation);
  if (invocation < units) { for (var other = 1u; other < slices; other++) { sum += tile_values[other * units + invocation]; } }
  // The next call writes to what is read here.
  workgroupBarrier();
  return Attended(top, all, sum / all);
}
