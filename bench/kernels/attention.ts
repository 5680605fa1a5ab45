/**
 * Speed of the attention kernels: one line a case with ms a layer and GFLOP/s (reading) or GB/s
 * (decoding). Arguments: `lanes`, `rivals` (of GPUs; left out, both) and `quick`. Bundle it with esbuild first, because
 * of the WGSL imports.
 */
import { openTestDevice } from '../../engine/testing/device.ts';
import type { Device } from '../../engine/device/device.ts';
import { bindAttention } from '../../engine/layers/attention/attention.ts';
import { usesLanes } from '../../engine/layers/attention/lanes.ts';
import { keysOf } from '../../engine/layers/attention/variants.ts';
import { attentionRivals } from '../../engine/layers/attention/choice.ts';
import type { AttentionKernels } from '../../engine/layers/attention/variants.ts';
import { chooseKvFormat, type KvLayout, kvBytesPerValue } from '../../engine/layers/attention/layout.ts';
import { attentionWork } from '../../engine/layers/part.ts';
import { StepUniform } from '../../engine/layers/step.ts';
import { best, line } from './measure.ts';

interface Shape {
  name: string;
  heads: number;
  kvHeads: number;
  headDim: number;
}

const shapes: Shape[] = [
  { name: 'SmolLM2-135M', heads: 9, kvHeads: 3, headDim: 64 },
  { name: 'Gemma-270M', heads: 4, kvHeads: 1, headDim: 256 },
];

async function measureShape(device: Device, shape: Shape, tried: AttentionKernels | 'lanes', quick: boolean): Promise<void> {
  const { heads, kvHeads, headDim } = shape;
  const contextTokens = 8192;
  const layout: KvLayout = { format: chooseKvFormat(device), kvHeads, headDim, capacitySlots: contextTokens };
  const maxRows = 64;
  const storage = (values: number): GPUBuffer => device.memory.storage('activations', 'bench', values * 4);
  const [queries, output] = [storage(maxRows * heads * headDim), storage(maxRows * heads * headDim)];
  const [keys, values] = [storage(kvHeads * contextTokens * headDim), storage(kvHeads * contextTokens * headDim)];
  const uniform = new StepUniform(device);
  const started = performance.now();
  const bound = await bindAttention(
    device,
    { queries, keys, values, output, layout, heads, window: null, step: uniform.buffer, maxRows, contextTokens },
    tried,
  );
  const kernel = tried === 'lanes' ? tried : `${tried.decode.name}; ${tried.read.name}`;
  console.log(`${shape.name} ${kernel}: pipelines in ${(performance.now() - started).toFixed(0)} ms`);
  for (const rows of [64, 1]) {
    for (const position of quick ? [2000] : [0, 500, 2000, 6000]) {
      const step = { rows, position };
      uniform.write(step);
      const timing = await best(device, (pass) => bound.encode(pass, step));
      const { flops, bytes } = attentionWork({ heads, kvHeads, headDim, window: null, bytesPerValue: kvBytesPerValue(layout.format) })(step);
      const name = `${shape.name} ${kernel} ${rows} rows at ${position}`;
      console.log(rows > 1 ? line(name, timing, flops, 'GFLOP/s') : line(name, timing, bytes, 'GB/s'));
    }
  }
  for (const buffer of [queries, output, keys, values]) device.memory.free(buffer);
}

const device = await openTestDevice();
console.log(device.facts.name);
const wanted = process.argv.slice(2);
const wants = (name: string): boolean => wanted.includes(name) || !wanted.some((one) => one === 'lanes' || one === 'rivals');
for (const shape of shapes) {
  const { decode, read } = attentionRivals(device, keysOf({ ...shape, format: chooseKvFormat(device), capacitySlots: 8192 }, shape.heads));
  if (usesLanes(device) && wants('lanes')) await measureShape(device, shape, 'lanes', wanted.includes('quick'));
  if (!wants('rivals')) continue;
  for (let i = 0; i < Math.max(decode.length, read.length); i++) await measureShape(device, shape, { decode: decode[Math.min(i, decode.length - 1)], read: read[Math.min(i, read.length - 1)] }, wanted.includes('quick'));
}
process.exit(0);
