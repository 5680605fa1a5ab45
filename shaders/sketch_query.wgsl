// Makes a step's queries ready for sketch_scan.wgsl: divides each by the keys' weights, rotates it and quantises it to 8 bits (an error far
// below that of the keys' few bits), and multiplies it with the centroid of every sealed cluster.
// Shapes: queries [head][HEAD_DIM] f32, already scaled; centroids [kvHead][capacityTokens / 16][UNITS + 1] u32
//   (cluster_store.wgsl);
//   rotatedQueries [head][8·WORDS + 4] u32: word 8·w + j holds the dimensions 32·w + j + (0, 8, 16, 24) as
//   signed bytes, 0 past HEAD_DIM, so that (plane word >> j) & 0x01010101 lies over it; then the scale and
//   the sum of the integers, as f32; centroidScores [head][cluster] f32; dimensions [HEAD_DIM] f32: the keys' weights.
// Bindings: 0 numbers, 1 shape, 2 queries, 3 centroids, 4 rotatedQueries, 5 centroidScores, 6 dimensions.
// Mapping: workgroup y = head; x = 0 rotates. The workgroups x > 0 of a group's heads share its clusters, INVOCATIONS each:
//   an invocation scores one for all of these heads, so that its centroid is read and expanded once.
// Constants: WORDS, GROUP (heads a key-value head), UNITS (HEAD_DIM / 4), those of sketch_rotate.wgsl with VECTORS = 1.
//   Reads centroids by kv_load_eight_bit.wgsl.
// Reference: estimateScores in engine/reference/retrieval/sketch.ts.

struct Numbers { sealedTokens: u32, planesRead: u32 }
struct Shape { capacityTokens: u32, scoreStride: u32, listStride: u32, block: u32 }

@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> centroids: array<KvUnit>;
@group(0) @binding(4) var<storage, read_write> rotatedQueries: array<u32>;
@group(0) @binding(5) var<storage, read_write> centroidScores: array<f32>;
@group(0) @binding(6) var<storage, read> dimensions: array<vec4<f32>>;

const QUERY_WORDS = u32(8 * WORDS + 4);

var<workgroup> partials: array<f32, INVOCATIONS>;

fn rotateQuery(head: u32, invocation: u32) {
  for (var i = invocation; i < UNITS; i += INVOCATIONS) {
    let x = queries[head * UNITS + i] / dimensions[i];
//@unroll c 4
    rotated[4u * i + $cu] = x[$c] * signed(4u * i + $cu);
//@end
  }
  transform(shape.block, invocation);
  var mine = 0.0;
  for (var i = invocation; i < HEAD_DIM; i += INVOCATIONS) { mine = max(mine, abs(rotated[i])); }
  partials[invocation] = mine;
  workgroupBarrier();
  var highest = 0.0;
  for (var i = 0u; i < INVOCATIONS; i++) { highest = max(highest, partials[i]); }
  let inverseScale = select(0.0, 127.0 / highest, highest > 0.0);
  workgroupBarrier();

  var sum = 0;
  for (var i = invocation; i < 8u * WORDS; i += INVOCATIONS) {
    var bytes = 0u;
    for (var byte = 0u; byte < 4u; byte++) {
      let dimension = 32u * (i / 8u) + i % 8u + 8u * byte;
      if (dimension < HEAD_DIM) {
        let integer = i32(round(rotated[dimension] * inverseScale));
        sum += integer;
        bytes |= (u32(integer) & 0xffu) << (8u * byte);
      }
    }
    rotatedQueries[head * QUERY_WORDS + i] = bytes;
  }
  partials[invocation] = f32(sum);
  workgroupBarrier();
  if (invocation == 0u) {
    var total = 0.0;
    for (var i = 0u; i < INVOCATIONS; i++) { total += partials[i]; }
    rotatedQueries[head * QUERY_WORDS + 8u * WORDS] = bitcast<u32>(highest / 127.0);
    rotatedQueries[head * QUERY_WORDS + 8u * WORDS + 1u] = bitcast<u32>(total);
  }
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
  let head = workgroup.y;
  if (workgroup.x == 0u) {
    rotateQuery(head, invocation);
    return;
  }
  let kvHead = head / GROUP;
  let cluster = ((workgroup.x - 1u) * GROUP + head % GROUP) * INVOCATIONS + invocation;
  if (cluster * 16u >= numbers.sealedTokens) { return; }
  let clusterCapacity = shape.capacityTokens / 16u;
  let record = (kvHead * clusterCapacity + cluster) * (UNITS + 1u);
//@unroll n GROUP
  var sum$n = 0.0;
//@end
  for (var unit = 0u; unit < UNITS; unit++) {
    let centroid = widen0(centroids[record + unit]);
//@unroll n GROUP
    sum$n += dot(queries[(kvHead * GROUP + $nu) * UNITS + unit], centroid);
//@end
  }
  let scale = bitcast<f32>(centroids[record + UNITS]);
//@unroll n GROUP
  centroidScores[(kvHead * GROUP + $nu) * clusterCapacity + cluster] = sum$n * scale;
//@end
}
