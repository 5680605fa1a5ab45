// How much sampled queries of a block of rows may attend to blocks of 64 keys: the log of Σ e^(q · mean) over the four
// means of a block. Of `rows` rows so many are sampled as `sampled` says, evenly; a query is a sampled row of a head.
// Shapes: queries [rows][heads][headDim] f32, scaled; means [kvHead][meanCapacity][headDim] f16 (key_means.wgsl); scores
//   [kvHead][sampled · group][blockCapacity] f32.
// Bindings: 0 reading, 1 shape, 2 queries, 3 means, 4 scores.
// Mapping: workgroup x = 64 blocks, one an invocation, y = key-value head, z = four queries.
// Constants: HEAD_UNITS = headDim / 4, GROUP = query heads a key-value head.
// Reference: blockScores in engine/reference/sparseReading.ts. Text: reading_numbers.wgsl.

@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> means: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;

const MEANS = 4u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let block = workgroup.x * 64u + invocation;
  let kvHead = workgroup.y;
  let count = reading.sampled * GROUP;
  if (block >= reading.blocks) { return; }
//@unroll q 4
  let number$q = min(workgroup.z * 4u + $qu, count - 1u);
  let row$q = ((2u * (number$q / GROUP) + 1u) * reading.rows) / (2u * reading.sampled);
  let query$q = (row$q * shape.heads + kvHead * GROUP + number$q % GROUP) * HEAD_UNITS;
//@end
  let mean = (kvHead * shape.meanCapacity + block * MEANS) * HEAD_UNITS;
//@unroll m 4
  var products$m = vec4<f32>();
//@end
  for (var unit = 0u; unit < HEAD_UNITS; unit++) {
//@unroll q 4
    let q$q = queries[query$q + unit];
//@end
//@unroll m 4
    {
      let packed = means[mean + $mu * HEAD_UNITS + unit];
      let key = vec4<f32>(unpack2x16float(packed.x), unpack2x16float(packed.y));
      products$m += vec4<f32>(dot(q0, key), dot(q1, key), dot(q2, key), dot(q3, key));
    }
//@end
  }
  let top = max(max(products0, products1), max(products2, products3));
  var sum = vec4<f32>();
//@unroll m 4
  sum += exp(max(products$m - top, vec4<f32>(-88.0)));
//@end
  let score = top + log(sum);
//@unroll q 4
  if (workgroup.z * 4u + $qu < count) { scores[(kvHead * count + number$q) * shape.blockCapacity + block] = score[$q]; }
//@end
}
