/**
 * Whether the GPU copies from mapped memory while it computes, and how fast it copies:
 *
 *     node dist/bench/copyTimes.js [--megabytes 1,2,4,8] [--rounds 40] [--dispatches 200]
 *
 * Each round submits copies from a reused mapped buffer to one of the GPU's, and a pass of dispatches that does not touch
 * it, once with a kernel behind it that reads what was copied. `touched`: the target was last read by a kernel, which a
 * copy must wait for; `fresh`: it was last written by a copy. JSON lines, medians; milliseconds of a round.
 */
import { parseArgs } from 'node:util';
import { UploadRing } from '../engine/device/uploadRing.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { median } from './median.ts';

const { values } = parseArgs({ options: { megabytes: { type: 'string', default: '1,2,4,8' }, rounds: { type: 'string', default: '40' }, dispatches: { type: 'string', default: '200' } } });
const rounds = Number(values.rounds);
const dispatches = Number(values.dispatches);
const device = await openAdapter({ boundsChecks: false });
const sum = (workgroups: number): string => `
@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;
@compute @workgroup_size(256) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  var sum = vec4(0u);
  for (var i = id.x; i < arrayLength(&source); i += ${256 * workgroups}u) { sum += source[i]; }
  sums[id.x] = sum.x + sum.y + sum.z + sum.w + sums[id.x];
}`;
const kernelFor = (workgroups: number) => device.kernels.get({ label: 'sum', texts: [sum(workgroups)], constants: {} });
const [working, reading] = await Promise.all([kernelFor(1024), kernelFor(512)]);
const large = device.memory.storage('activations', 'large', 32 * 2 ** 20);
const sums = device.memory.storage('activations', 'sums', 4 * 256 * 1024);
const moreSums = device.memory.storage('activations', 'more sums', 4 * 256 * 1024);
const tiny = device.memory.storage('activations', 'tiny', 256);
const work = working.bind(large, sums);

for (const megabytes of values.megabytes.split(',').map(Number)) {
  const sizeBytes = megabytes * 2 ** 20;
  const target = device.memory.storage('activations', 'target', sizeBytes);
  const read = reading.bind(target, moreSums);
  const ring = new UploadRing(device, { label: 'ring', sizeBytes, count: 8 });
  const one = async ({ copies, computes, reads, fresh }: Record<'copies' | 'computes' | 'reads' | 'fresh', boolean>): Promise<void> => {
    const upload = await ring.fill(async (words) => void (words[0] = 1));
    const encoder = device.gpu.createCommandEncoder();
    if (copies) encoder.copyBufferToBuffer(upload.buffer, 0, target, 0, sizeBytes);
    if (computes) {
      const pass = encoder.beginComputePass();
      pass.setPipeline(working.pipeline);
      pass.setBindGroup(0, work);
      for (let i = 0; i < dispatches; i++) pass.dispatchWorkgroups(1024);
      pass.end();
    }
    if (reads) {
      const pass = encoder.beginComputePass();
      pass.setPipeline(reading.pipeline);
      pass.setBindGroup(0, read);
      pass.dispatchWorkgroups(512);
      pass.end();
    }
    if (fresh) encoder.copyBufferToBuffer(tiny, 0, target, 0, 4);
    device.gpu.queue.submit([encoder.finish()]);
    upload.release();
  };
  const time = async (what: Parameters<typeof one>[0]): Promise<number> => {
    const times: number[] = [];
    for (let batch = 0; batch < 5; batch++) {
      await device.finished();
      const startMs = performance.now();
      for (let round = 0; round < rounds; round++) await one(what);
      await device.finished();
      times.push((performance.now() - startMs) / rounds);
    }
    return median(times);
  };
  const none = { copies: false, computes: false, reads: false, fresh: false };
  const line = {
    bench: 'copies',
    megabytes,
    copyMs: await time({ ...none, copies: true }),
    computeMs: await time({ ...none, computes: true }),
    computeReadMs: await time({ ...none, computes: true, reads: true }),
    bothMs: await time({ ...none, copies: true, computes: true }),
    touchedMs: await time({ ...none, copies: true, computes: true, reads: true }),
    freshMs: await time({ copies: true, computes: true, reads: true, fresh: true }),
  };
  console.log(JSON.stringify(line));
  device.memory.free(target);
  ring.free();
}
process.exit(0);
