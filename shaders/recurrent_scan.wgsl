// The recurrence of linear attention, one row after another, with a column of the state S [keyDim][valueDim] at hand:
//     S ← decay · S;  S ← S + k (strength · (v − [ERASE] Sᵀk))ᵀ;  output = Sᵀq  (with SKIP + skip · v)
// With DECAY_BY_KEY the decay is a diagonal matrix; with ERASE_VECTORS (and DECAY_BY_KEY) what is taken out has vectors of
// its own:  S ← S + k (strength · v)ᵀ − b (Sᵀa)ᵀ.
// Reading a chunk and decoding are the same computation, so how a prompt is cut into chunks changes no bit.
// Shapes: vectors [rows][stride] f32 with queries, keys and values at their offsets, [keyHead][keyDim] or
//   [head][valueDim]; gates [rows][heads] of (decay, strength); stateIn, stateOut [head][value][keyDim / 4] vec4;
//   output [rows][heads][valueDim] f32; skip [heads] f32; decays [rows][heads][keyDim] f32;
//   erasers [rows][heads] of a, b, [keyDim] each. Before the sequence S is 0.
// Bindings: 0 step, 1 shape, 2 vectors as vec4, 3 vectors as f32, 4 gates, 5 stateIn, 6 stateOut, 7 output, with SKIP 8 skip, with
//   DECAY_BY_KEY 8 decays, with ERASE_VECTORS 9 erasers.
// Mapping: y = head; the workgroups of x stride over the columns (values); invocations share a column's keys, and what
//   they sum crosses lanes with LONE_SUBGROUP (the workgroup is one subgroup), else workgroup memory.
// Constants: INVOCATIONS, KEYS = keyDim / 4, UNITS = ⌈KEYS / INVOCATIONS⌉, LONE_SUBGROUP, ERASE, ERASE_VECTORS, DECAY_BY_KEY,
//   SKIP, TILED (the key head of
//   head h is h mod keyHeads, else ⌊h · keyHeads / heads⌋). Reference: scan in engine/reference/recurrent/scan.ts.

struct Step { rows: u32, position: u32 }
// Offsets and stride in f32.
struct Shape { heads: u32, keyHeads: u32, valueDim: u32, stride: u32, queryOffset: u32, keyOffset: u32, valueOffset: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> vectors: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> numbers: array<f32>;
@group(0) @binding(4) var<storage, read> gates: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read> stateIn: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> stateOut: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> output: array<f32>;
//@if SKIP
@group(0) @binding(8) var<storage, read> skip: array<f32>;
//@end
//@if DECAY_BY_KEY
@group(0) @binding(8) var<storage, read> decays: array<vec4<f32>>;
//@end
//@if ERASE_VECTORS
@group(0) @binding(9) var<storage, read> erasers: array<vec4<f32>>;
//@end

//@if LONE_SUBGROUP
fn total(part: vec4<f32>, invocation: u32) -> f32 { return subgroupAdd(dot(part, vec4<f32>(1.0))); }
//@else
var<workgroup> sums: array<f32, INVOCATIONS>;

fn total(part: vec4<f32>, invocation: u32) -> f32 {
  workgroupBarrier();
  sums[invocation] = dot(part, vec4<f32>(1.0));
  for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (invocation < half) { sums[invocation] += sums[invocation + half]; }
  }
  return workgroupUniformLoad(&sums[0]);
}
//@end

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  let head = workgroup.y;
//@if TILED
  let keyHead = head % shape.keyHeads;
//@else
  let keyHead = head * shape.keyHeads / shape.heads;
//@end
  // Where keys do not fill the last lanes, these repeat one and hold a state of 0.
//@unroll i UNITS
  let unit$i = min($iu * INVOCATIONS + invocation, KEYS - 1u);
  let used$i = $iu * INVOCATIONS + invocation < KEYS;
//@end
  for (var column = workgroup.x; column < shape.valueDim; column += workgroups.x) {
    let base = (head * shape.valueDim + column) * KEYS;
//@unroll i UNITS
    var s$i = vec4<f32>();
    if (step.position > 0u && used$i) { s$i = stateIn[base + unit$i]; }
//@end
    for (var row = 0u; row < step.rows; row++) {
      let start = row * shape.stride;
      let query = (start + shape.queryOffset) / 4u + keyHead * KEYS;
      let key = (start + shape.keyOffset) / 4u + keyHead * KEYS;
      let gate = gates[row * shape.heads + head];
      var value = numbers[start + shape.valueOffset + head * shape.valueDim + column];
//@if SKIP
      let passed = value;
//@end
//@unroll i UNITS
      let k$i = vectors[key + unit$i] * f32(used$i);
//@end
//@if DECAY_BY_KEY
      let place = (row * shape.heads + head) * KEYS;
//@unroll i UNITS
      s$i *= decays[place + unit$i];
//@end
//@else
//@unroll i UNITS
      s$i *= gate.x;
//@end
//@end
//@if ERASE
      var held = vec4<f32>();
//@unroll i UNITS
      held += k$i * s$i;
//@end
      value -= total(held, invocation);
//@end
      value *= gate.y;
//@if ERASE_VECTORS
      var erased = vec4<f32>();
//@unroll i UNITS
      erased += erasers[2u * place + unit$i] * s$i;
//@end
      let taken = total(erased, invocation);
//@unroll i UNITS
      s$i -= erasers[2u * place + KEYS + unit$i] * f32(used$i) * taken;
//@end
//@end
      var read = vec4<f32>();
//@unroll i UNITS
      s$i += k$i * value;
      read += vectors[query + unit$i] * s$i;
//@end
//@if SKIP
      let result = total(read, invocation) + skip[head] * passed;
//@else
      let result = total(read, invocation);
//@end
      if (invocation == 0u) { output[(row * shape.heads + head) * shape.valueDim + column] = result; }
    }
//@unroll i UNITS
    if (used$i) { stateOut[base + unit$i] = s$i; }
//@end
  }
}
