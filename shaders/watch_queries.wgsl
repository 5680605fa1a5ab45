// Keeps the queries of watched heads, scaled and rotated as they attend, of the latest rows: a ring by position.
// Shapes: queries [rows][rowUnits] from unit `origin` on; heads [count] u32; kept [capacityRows][count][headUnits], units of
//   four dimensions.
// Bindings: 0 step, 1 shape, 2 heads, 3 queries, 4 kept.
// Mapping: workgroup x = 64 units of the watched heads, y = row. Rows before firstPosition are passed over.
// Reference: a copy.

struct Step { rows: u32, position: u32, sealed: u32 }
struct Shape { firstPosition: u32, capacityRows: u32, origin: u32, rowUnits: u32, headUnits: u32, count: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> heads: array<u32>;
@group(0) @binding(3) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> kept: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let position = step.position + id.y;
  let units = shape.count * shape.headUnits;
  if (id.x >= units || position < shape.firstPosition) { return; }
  let head = heads[id.x / shape.headUnits];
  let query = shape.origin + id.y * shape.rowUnits + head * shape.headUnits + id.x % shape.headUnits;
  kept[(position % shape.capacityRows) * units + id.x] = queries[query];
}
