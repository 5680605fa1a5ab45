// Keeps the queries of a step's rows, scaled and rotated, where an inspection looks for them.
// Shapes: queries [rows][units], kept [capacityRows][units], units of four dimensions of all heads.
// Bindings: 0 step, 1 shape, 2 queries, 3 kept.
// Mapping: workgroup x = 64 units, y = row. Rows outside of the kept positions are passed over.
// Reference: a copy.

struct Step { rows: u32, position: u32, sealed: u32 }
struct Shape { firstPosition: u32, capacityRows: u32, units: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> kept: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let position = step.position + id.y;
  if (id.x >= shape.units || position < shape.firstPosition || position - shape.firstPosition >= shape.capacityRows) { return; }
  kept[(position - shape.firstPosition) * shape.units + id.x] = queries[id.y * shape.units + id.x];
}
