// Chooses the experts of each row: those of the largest logits, of equal ones the lower number, and their shares:
//     shares[row][slot] = scale · exp(logit) / Σ exp(logit)      over the chosen (NORMALISED) or over all experts
//     shares[row][chosen] = sigmoid(logits[row][experts]) with SHARED_GATE, else 1: the share of the shared expert
// Shapes: logits [rows][experts (+ 1 with SHARED_GATE)] f32; choice [rows][chosen] u32; shares [rows][chosen + 1] f32.
// Bindings: 0 shape, 1 logits, 2 choice, 3 shares.
// Mapping: one workgroup a row; invocations stride over the experts. Each round finds the first expert, in the order of
//   falling logits, that comes after the one before, so that nothing has to be marked.
// Constants: INVOCATIONS, LONE_SUBGROUP, NORMALISED, SHARED_GATE. Reference: chooseExperts in engine/reference/experts.ts.

struct Shape { experts: u32, chosen: u32, scale: f32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> choice: array<u32>;
@group(0) @binding(3) var<storage, read_write> shares: array<f32>;

const LOWEST = -3.4e38;

//@if !LONE_SUBGROUP
var<workgroup> values: array<f32, INVOCATIONS>;
var<workgroup> places: array<u32, INVOCATIONS>;
//@end

// Of all invocations, the largest value and the lowest expert that has it.
fn best(value: f32, expert: u32, invocation: u32) -> vec2<u32> {
//@if LONE_SUBGROUP
  let largest = subgroupMax(value);
  return vec2<u32>(bitcast<u32>(largest), subgroupMin(select(0xffffffffu, expert, value == largest)));
//@else
  values[invocation] = value;
  places[invocation] = expert;
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) {
      let other = invocation + half;
      if (values[other] > values[invocation] || (values[other] == values[invocation] && places[other] < places[invocation])) {
        values[invocation] = values[other];
        places[invocation] = places[other];
      }
    }
  }
  workgroupBarrier();
  let found = vec2<u32>(bitcast<u32>(values[0]), places[0]);
  workgroupBarrier();
  return found;
//@end
}

fn total(value: f32, invocation: u32) -> f32 {
//@if LONE_SUBGROUP
  return subgroupAdd(value);
//@else
  values[invocation] = value;
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { values[invocation] += values[invocation + half]; }
  }
  workgroupBarrier();
  let sum = values[0];
  workgroupBarrier();
  return sum;
//@end
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let row = workgroup.x;
//@if SHARED_GATE
  let first = row * (shape.experts + 1u);
//@else
  let first = row * shape.experts;
//@end
  var before = vec2<u32>(0u, 0u);
  var largest = 0.0;
  var sum = 0.0;
  for (var slot = 0u; slot < shape.chosen; slot++) {
    var value = LOWEST;
    var expert = 0xffffffffu;
    for (var e = invocation; e < shape.experts; e += INVOCATIONS) {
      let logit = logits[first + e];
      let last = bitcast<f32>(before.x);
      let after = slot == 0u || logit < last || (logit == last && e > before.y);
      if (after && (expert == 0xffffffffu || logit > value)) {
        value = logit;
        expert = e;
      }
    }
    before = best(value, expert, invocation);
    let logit = bitcast<f32>(before.x);
    if (slot == 0u) { largest = logit; }
    let weight = exp(logit - largest);
    sum += weight;
    if (invocation == 0u) {
      // Logits that are no numbers choose nothing; what is read must exist nevertheless.
      choice[row * shape.chosen + slot] = min(before.y, shape.experts - 1u);
      shares[row * (shape.chosen + 1u) + slot] = weight;
    }
  }
//@if !NORMALISED
  var own = 0.0;
  for (var e = invocation; e < shape.experts; e += INVOCATIONS) { own += exp(logits[first + e] - largest); }
  sum = total(own, invocation);
//@end
  if (invocation == 0u) {
    for (var slot = 0u; slot < shape.chosen; slot++) { shares[row * (shape.chosen + 1u) + slot] *= shape.scale / sum; }
//@if SHARED_GATE
    // e^88 is finite in f32.
    shares[row * (shape.chosen + 1u) + shape.chosen] = 1.0 / (1.0 + exp(min(-logits[first + shape.experts], 88.0)));
//@else
    shares[row * (shape.chosen + 1u) + shape.chosen] = 1.0;
//@end
  }
}
