// Embedding lookup from the packed weights of the output matrix (tied embeddings are stored once).
//
// output[row][k] = scale · W[tokens[row]][k]
//   tokens u32 [rows], output f32 [rows][inputs]; weights as in matmul_weights.wgsl, `inputs` a token.
//   Tokens outside this part's columns are left to the other parts.
// Bindings: 0 shape, 1 step, 2 tokens, 3 output, 4 codes, 5 scales.
// Mapping: one thread a block of 32 weights: global x = block, y = row.
// Reference: lookUp in engine/reference/matmul.ts. Texts: matmul_weights.wgsl.

@group(0) @binding(2) var<storage, read> tokens: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

fn store(place: u32, k: u32, weights: vec4<f32>) {
  let scaled = weights * shape.multiplier;
  if (k < shape.inputs) { output[place] = scaled.x; }
  if (k + 1u < shape.inputs) { output[place + 1u] = scaled.y; }
  if (k + 2u < shape.inputs) { output[place + 2u] = scaled.z; }
  if (k + 3u < shape.inputs) { output[place + 3u] = scaled.w; }
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let block = id.x;
  let row = id.y;
  if (block >= shape.blocks || row >= step.rows) { return; }
  let token = tokens[row];
  if (token < shape.first_column || token >= shape.first_column + shape.outputs) { return; }
  let column = column_at(token - shape.first_column);
  let record = scale_record(column, block);
  for (var index = 0u; index < UNITS; index++) {
    let unit = code_unit(column, block * UNITS + index);
    for (var field = 0u; field < FIELDS; field++) {
      let quad = index * FIELDS + field;
      let k = block * 32u + quad * 4u;
      store(row * shape.inputs + k, k, field_at(unit, field, scale_of(record, quad / 4u)));
    }
  }
}
