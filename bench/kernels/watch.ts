/**
 * Cost of watching heads while an answer is written: ms for a batch of eight rows, for two heads in each of four layers,
 * documents in 512 parts. Bundle it with esbuild first, because of the WGSL imports. Arguments: keys (4000).
 */
import { bindWatchKernels, type WatchedPart } from '../../engine/inspect/watchKernels.ts';
import { chooseKvFormat, kvBytesPerValue } from '../../engine/layers/attention/layout.ts';
import { openTestDevice } from '../../engine/testing/device.ts';
import { best, line } from './measure.ts';

const shapes = [
  { name: 'SmolLM2-135M', heads: 9, kvHeads: 3, headDim: 64 },
  { name: 'Gemma-270M', heads: 4, kvHeads: 1, headDim: 256 },
  { name: 'Llama-8B', heads: 32, kvHeads: 8, headDim: 128 },
];
const [layers, watched, rows] = [4, [0, 1], 8];
const keys = Number(process.argv[2] ?? 4000);
const device = await openTestDevice();
for (const { name, heads, kvHeads, headDim } of shapes) {
  const format = chooseKvFormat(device);
  const layout = { format, kvHeads, headDim, capacitySlots: keys };
  const storage = (bytes: number): GPUBuffer => device.memory.storage('activations', 'bench', bytes);
  const watching = Array.from({ length: layers }, () => ({ queries: storage(4 * rows * watched.length * headDim), keys: storage(kvHeads * keys * headDim * kvBytesPerValue(format)), layout, heads, window: null, watched }));
  const partTokens = Math.ceil(keys / 512);
  const parts = Array.from({ length: Math.ceil(keys / partTokens) }, (_, i): WatchedPart => ({ begin: i * partTokens, end: (i + 1) * partTokens, zone: 'document' }));
  const before = process.cpuUsage();
  const kernels = await bindWatchKernels(device, watching, { capacityRows: rows, parts, factors: Array.from({ length: layers * watched.length }, () => 1) });
  const { user, system } = process.cpuUsage(before);
  const timing = await best(device, kernels.within({ position: keys - rows, rows }));
  console.log(line(`${name}, ${keys} keys, pipelines in ${((user + system) / 1000).toFixed(0)} ms of processors`, timing, 2 * layers * watched.length * rows * keys * headDim, 'GFLOP/s'));
  kernels.free();
}
device.destroy();
