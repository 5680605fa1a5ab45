/**
 * Speed of a mixture of experts at the shapes of Qwen3-30B-A3B: one line a kernel, for one row and for a chunk, beside a
 * dense product that reads as many weights as the chosen experts have. Bundle it with esbuild first, as linear.ts says.
 *
 * Arguments: --experts N (default 128); --rows N rows of a chunk (default 64).
 */
import { bindExpertProduct, expertKernelsFor, expertWork } from '../../engine/layers/experts/product.ts';
import { bindChoose, bindCombine, bindGroup } from '../../engine/layers/experts/routing.ts';
import { tileCount } from '../../engine/layers/experts/tiles.ts';
import { createLinearKernels } from '../../engine/layers/linear/linear.ts';
import { randomNumbers, randomSource } from '../../engine/layers/linear/testing/sources.ts';
import { productWork } from '../../engine/layers/part.ts';
import type { Bound } from '../../engine/layers/pointwise/bound.ts';
import { type Step, StepUniform } from '../../engine/layers/step.ts';
import { openTestDevice, upload } from '../../engine/testing/device.ts';
import { best, line } from './measure.ts';

function argument(name: string, fallback: number): number {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? fallback : Number(process.argv[index + 1]);
}

const [hidden, width, chosen, kind] = [2048, 768, 8, 'u4/32+ f16'] as const;
const experts = argument('experts', 128);
const rows = argument('rows', 64);
const device = await openTestDevice();
const shape = expertKernelsFor(device);
const step = new StepUniform(device);
const random = randomNumbers(1);
const linear = await createLinearKernels(device, { get: () => undefined, set: () => undefined });
const storage = (words: number): GPUBuffer => device.memory.storage('activations', 'bench', words * 4);
console.log(`${device.facts.name}: ${experts} experts of ${width}, ${chosen} chosen, tiles of ${shape.tileRows}`);

const logits = upload(device, Float32Array.from({ length: rows * experts }, () => random.normal()));
const routing = { logits, choice: storage(rows * chosen), shares: storage(rows * (chosen + 1)), order: storage(rows * chosen), tiles: storage(4 * tileCount(rows, { experts, chosen }, shape.tileRows)), experts, chosen };
const [input, gateUp, branches] = [storage(rows * chosen * hidden), storage(rows * chosen * 2 * width), storage(rows * chosen * hidden)];
const up = await linear.upload('gate and up', [randomSource(random, kind, experts * 2 * width, hidden)]);
const down = await linear.upload('down', [randomSource(random, kind, experts * hidden, width)]);
const dense = await linear.upload('as many weights', [randomSource(random, kind, chosen * 2 * width, hidden)]);

const timed = async (what: string, make: () => Promise<Bound>): Promise<Bound> => {
  const before = process.cpuUsage();
  const bound = await make();
  const { user, system } = process.cpuUsage(before);
  console.log(`${what}: pipelines in ${((user + system) / 1000).toFixed(0)} ms of processors`);
  return bound;
};
const choose = await timed('choose', () => bindChoose(device, { ...routing, normalised: true, scale: 1, sharedGate: false }));
const group = await timed('group', () => bindGroup(device, { ...routing, tileRows: shape.tileRows, step: step.buffer, maxRows: rows }));
const gateUps = await timed('gate and up', () => bindExpertProduct(device, up, { ...routing, input, output: gateUp, outputStride: 2 * width, pairsPerInput: chosen }, shape));
const downs = await timed('down', () => bindExpertProduct(device, down, { ...routing, input: gateUp, output: branches, outputStride: hidden, pairsPerInput: 1 }, shape));
const combine = await timed('sum', () => bindCombine(device, { ...routing, branches, shared: null, output: input, columns: hidden, add: false }));
const asMany = await timed('dense', () => linear.bind(dense, { input, output: gateUp, step: step.buffer, maxRows: rows }));

for (const now of [{ rows: 1, position: 0 }, { rows, position: 0 }] satisfies Step[]) {
  step.write(now);
  const measure = async (name: string, bound: Bound, amount: number, unit: 'GFLOP/s' | 'GB/s' = 'GB/s'): Promise<void> =>
    console.log(line(`${name}, ${now.rows} rows`, await best(device, (pass) => bound.encode(pass, now)), amount, unit));
  await measure('choice of experts', choose, 4 * now.rows * experts);
  await measure('pairs by expert', group, 12 * now.rows * chosen);
  const work = { up: expertWork(up, routing)(now), down: expertWork(down, routing)(now), dense: productWork(dense)(now) };
  const unit = now.rows === 1 ? 'GB/s' : 'GFLOP/s';
  const amount = ({ flops, bytes }: { flops: number; bytes: number }): number => (unit === 'GB/s' ? bytes : flops);
  await measure('gate and up of experts', gateUps, amount(work.up), unit);
  await measure('down of experts', downs, amount(work.down), unit);
  await measure('sum of experts', combine, 4 * now.rows * chosen * hidden);
  await measure(`dense product of ${chosen} experts' weights`, asMany, amount(work.dense), unit);
}
process.exit(0);
