// Joins what runs of a range's keys gave to what the ranges before it gave: log-sum-exps (inspect_log_sums.wgsl) by their
// log-sum-exp; with STATISTICS what inspect_rows.wgsl writes, by adding up, and the largest of the peaks.
// Shapes: parts [split][rows][heads] of f32, with STATISTICS of two vec4<f32>; joined [rows][heads] of the same.
// Bindings: 0 shape (vectors = rows·heads), 1 parts, 2 joined.
// Mapping: an invocation a row and head.
// Constants: STATISTICS. Reference: rowLogSums and rowStatistics in engine/reference/inspect.ts, over all keys at once.

struct Shape { splits: u32, vectors: u32 }

// Stands for -infinity, as in inspect_range.wgsl.
const NOTHING = -1e30;

@group(0) @binding(0) var<uniform> shape: Shape;
//@if STATISTICS
@group(0) @binding(1) var<storage, read> parts: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> joined: array<vec4<f32>>;
//@else
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> joined: array<f32>;
//@end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let vectors = shape.vectors;
  if (id.x >= vectors) { return; }
//@if STATISTICS
  let behind = 2u * vectors * shape.splits;
  var zone = joined[2u * id.x];
  var other = joined[2u * id.x + 1u];
  for (var part = 2u * id.x; part < behind; part += 2u * vectors) {
    zone += parts[part];
    let more = parts[part + 1u];
    other = vec4<f32>(other.xy + more.xy, select(other.zw, more.zw, more.z > other.z));
  }
  joined[2u * id.x] = zone;
  joined[2u * id.x + 1u] = other;
//@else
  let behind = vectors * shape.splits;
  var highest = joined[id.x];
  for (var part = id.x; part < behind; part += vectors) { highest = max(highest, parts[part]); }
  var total = select(0.0, exp(max(joined[id.x] - highest, -88.0)), joined[id.x] > 0.5 * NOTHING);
  for (var part = id.x; part < behind; part += vectors) {
    total += select(0.0, exp(max(parts[part] - highest, -88.0)), parts[part] > 0.5 * NOTHING);
  }
  joined[id.x] = select(NOTHING, highest + log(total), total > 0.0);
//@end
}
