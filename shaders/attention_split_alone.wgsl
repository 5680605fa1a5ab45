// Begins attention_split.wgsl over one part of the keys, in a dispatch of its own: shapes, bindings and mapping are there.
// Constants: THREADS. Reference: attend, attendRange in engine/reference/attention.ts.
// Texts: those of attention_split.wgsl, and itself.

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) invocation: u32,
) {
  attend(workgroup, workgroups, invocation);
}
