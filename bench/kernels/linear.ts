/**
 * Speed of the linear layers on this adapter: per shape and format, and the matrix products of a whole
 * SmolLM2-135M pass in one submission.
 *
 *     npx esbuild bench/kernels/linear.ts --bundle --platform=node --format=esm --loader:.wgsl=text \
 *       --external:webgpu --outfile=dist/bench/linear.mjs && node dist/bench/linear.mjs
 *
 * Arguments: --family NAME forces a kernel family; --rows N rows of a prefill pass (default 64);
 * --formats runs single matrices of every format too.
 */
import { create, globals } from 'webgpu';
import { openDevice } from '../../engine/device/device.ts';
import { waiterFor } from '../../engine/device/waiters.ts';
import { type BoundLinear, createLinearKernels, type LinearKernels, type LinearWeights, type SourceMatrix } from '../../engine/layers/linear/linear.ts';
import { randomNumbers, randomSource, type SourceKind, sourceKinds } from '../../engine/layers/linear/testing/sources.ts';
import type { FamilyName } from '../../engine/layers/linear/variants.ts';
import { productWork } from '../../engine/layers/part.ts';
import { StepUniform } from '../../engine/layers/step.ts';
import type { Timing } from '../../engine/measure/timing.ts';
import { best } from './measure.ts';

Object.assign(globalThis, globals);

function argument(name: string): string | undefined {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? undefined : (process.argv[index + 1] ?? '');
}

const rows = Number(argument('rows') ?? 64);
const instance = create(['enable-dawn-features=allow_unsafe_apis,disable_robustness,vulkan_enable_f16_on_nvidia']);
const device = await openDevice(instance, (kind) => waiterFor(kind, () => new Promise((resolve) => void setImmediate(resolve))));
const step = new StepUniform(device);
console.log(`${device.facts.name}: ${device.facts.subgroupLanes} lanes, ${device.facts.kind}`);

interface Layer {
  name: string;
  outputs: number;
  inputs: number;
  weights: LinearWeights;
}

const kernels = await createLinearKernels(device, { get: () => undefined, set: () => undefined }, { family: argument('family') as FamilyName | undefined });
console.log(JSON.stringify(kernels.describe()));
const random = randomNumbers(1);

async function layer(name: string, outputs: number, inputs: number, source: SourceMatrix): Promise<Layer> {
  return { name, outputs, inputs, weights: await kernels.upload(name, [source]) };
}

async function measure(bound: readonly BoundLinear[], stepRows: number): Promise<Timing> {
  const now = { rows: stepRows, position: 0 };
  step.write(now);
  return best(device, (pass) => bound.forEach((product) => product.encode(pass, now)));
}

const most = Math.max(rows, 8);
const input = device.memory.storage('activations', 'input', most * 4096 * 4);
device.gpu.queue.writeBuffer(input, 0, Float32Array.from({ length: most * 4096 }, () => random.normal()));
const output = device.memory.storage('activations', 'output', most * 8192 * 4);
const logits = device.memory.storage('activations', 'logits', 49152 * 4);

function bind(kernelSet: LinearKernels, one: Layer, maxRows: number): Promise<BoundLinear> {
  return kernelSet.bind(one.weights, { input, output: one.outputs > 8192 ? logits : output, step: step.buffer, maxRows });
}

function report(one: Layer, stepRows: number, { ms, processorMs }: Timing, count: number): string {
  const { flops, bytes } = productWork(one.weights)({ rows: stepRows, position: 0 });
  const rates = `${((flops * count) / ms / 1e6).toFixed(1).padStart(8)} GFLOP/s ${((bytes * count) / ms / 1e6).toFixed(2).padStart(8)} GB/s`;
  return `${one.name.padEnd(28)} ${String(stepRows).padStart(4)} rows ${(ms / count).toFixed(3).padStart(9)} ms ${rates} (${((processorMs ?? 0) / count).toFixed(3)} ms of processors)`;
}

async function compileAndBind(layers: readonly Layer[], maxRows: number): Promise<BoundLinear[]> {
  const bound: BoundLinear[] = [];
  for (const one of layers) bound.push(await bind(kernels, one, maxRows));
  return bound;
}

async function wholeModel(): Promise<void> {
  const shapes: [string, number, number][] = [
    ['q|k|v', 960, 576],
    ['attention output', 576, 576],
    ['gate|up', 3072, 576],
    ['down', 576, 1536],
  ];
  const kind: SourceKind = 'u4/32+ f16';
  const layers: Layer[] = [];
  for (const [name, outputs, inputs] of shapes) {
    const source = randomSource(random, kind, outputs, inputs);
    for (let index = 0; index < 30; index++) layers.push(await layer(`${name} ${kind}`, outputs, inputs, source));
  }
  const start = performance.now();
  const head = await layer('logits u8/32 f16', 49152, 576, randomSource(random, 'u8/32 f16', 49152, 576));
  console.log(`logits weights made and uploaded in ${(performance.now() - start).toFixed(0)} ms`);
  const compileStart = performance.now();
  const bound = await compileAndBind(layers, most);
  const boundHead = await bind(kernels, head, 1);
  console.log(`kernels compiled and bound in ${(performance.now() - compileStart).toFixed(0)} ms`);
  for (const stepRows of [1, rows]) {
    for (let index = 0; index < layers.length; index += 30) {
      console.log(report(layers[index], stepRows, await measure(bound.slice(index, index + 30), stepRows), 30));
    }
    if (stepRows === 1) console.log(report(head, 1, await measure([boundHead], 1), 1));
    // A real pass goes layer by layer; prefill needs the logits of the last row only.
    const order = Array.from({ length: 30 }, (_, depth) => [0, 30, 60, 90].map((base) => bound[base + depth])).flat();
    const { ms, processorMs } = await measure(stepRows === 1 ? [...order, boundHead] : order, stepRows);
    console.log(`whole SmolLM2-135M, ${stepRows} rows: ${ms.toFixed(2)} ms, ${((1000 * stepRows) / ms).toFixed(1)} tok/s (${(processorMs ?? 0).toFixed(2)} ms of processors)`);
  }
}

async function singleFormats(): Promise<void> {
  for (const kind of sourceKinds) {
    const source = randomSource(random, kind, 2048, 2048);
    const layers: Layer[] = [];
    for (let index = 0; index < 8; index++) layers.push(await layer(kind, 2048, 2048, source));
    const bound = await compileAndBind(layers, most);
    for (const stepRows of [1, 4, rows]) console.log(report(layers[0], stepRows, await measure(bound, stepRows), 8));
    for (const one of layers) one.weights.free();
  }
}

await wholeModel();
if (process.argv.includes('--formats')) await singleFormats();
process.exit(0);
