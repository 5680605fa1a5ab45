// Begins attention_split.wgsl over several parts of a layer's keys at the same time, for a row alone: dispatches of their
// own would wait for each other, because all of them write partials.
// Bindings: splits = workgroups along the keys of each part; then those of the copies (engine/device/link.ts), of which
//   step, queries, partials and logSumExps are common.
// Mapping: workgroup x = tile of HEADS queries, y = key-value head, z = split of the first part, then of the next one …
// Constants: COPIES = parts, THREADS, the same in all. Reference: attendRange, mergePartials in
//   engine/reference/attention.ts.
// Texts: attend_0, attend_1, …: copies of attention_split.wgsl with its own texts, specialised for the part of that number.

@group(0) @binding(0) var<uniform> splits: vec4<u32>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  var first = 0u;
//@unroll c COPIES
  if (workgroup.z >= first && workgroup.z < first + splits[$c]) {
    attend_$c(vec3<u32>(workgroup.xy, workgroup.z - first), vec3<u32>(workgroups.xy, splits[$c]), invocation);
  }
  first += splits[$c];
//@end
}
