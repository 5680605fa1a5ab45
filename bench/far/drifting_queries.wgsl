// Puts controlled queries in the place of a layer's own: each is the one of the step before, turned by an angle towards
// noise, so that the angle says how much of what it chooses was chosen before.
// Shapes: state [layer][width] f32, of deviation 1; queries [width] f32.
// Bindings: 0 turn, 1 place, 2 state, 3 queries.
// Mapping: an invocation per number.

struct Turn { seed: u32, cosine: f32, sine: f32, scale: f32 }
struct Place { layer: u32, width: u32 }

@group(0) @binding(0) var<uniform> turn: Turn;
@group(0) @binding(1) var<uniform> place: Place;
@group(0) @binding(2) var<storage, read_write> state: array<f32>;
@group(0) @binding(3) var<storage, read_write> queries: array<f32>;

// PCG hash (Jarzynski and Olano, 2020).
fn hash(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= place.width) { return; }
  let index = place.layer * place.width + id.x;
  let first = hash(hash(turn.seed) + index);
  // Box and Muller.
  let radius = sqrt(-2.0 * log((f32(first >> 8u) + 1.0) / 16777217.0));
  let noise = radius * cos(6.2831853 * f32(hash(first ^ 0x9e3779b9u) >> 8u) / 16777216.0);
  let value = turn.cosine * state[index] + turn.sine * noise;
  state[index] = value;
  queries[id.x] = turn.scale * value;
}
