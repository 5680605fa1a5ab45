/**
 * Speed of attention that does not go through every key: one line a kernel of laLTE's evicting layers (8 heads of 64, a
 * window of 769, a budget of 512) and of laNSA's sparse ones (2 heads of 64, 16 blocks of 64, a window of 512) at 8 192
 * tokens, for a chunk of 64 rows and for one; and of sparse reading (32 heads of 64 over 8, 128 rows at 32 768 tokens, a
 * quarter of the blocks). Bundle it with esbuild first, because of the WGSL imports.
 */
import { bindEviction, bindEvictingAttention } from '../../engine/layers/evicting/eviction.ts';
import { bindRetentionScores, bindScoreConvolution } from '../../engine/layers/evicting/router.ts';
import type { Bound } from '../../engine/layers/pointwise/bound.ts';
import { StateCache } from '../../engine/layers/recurrent/stateCache.ts';
import { bindSparse } from '../../engine/layers/sparse/sparse.ts';
import { bindAttention } from '../../engine/layers/attention/attention.ts';
import { bindBlockChoice } from '../../engine/layers/sparseReading/blockChoice.ts';
import { allocateKeyMeans, bindKeyMeans } from '../../engine/layers/sparseReading/keyMeans.ts';
import { bindResidentReading, ResidentReading } from '../../engine/layers/sparseReading/residentReading.ts';
import { KvCache } from '../../engine/kv/cache.ts';
import { StepUniform } from '../../engine/layers/step.ts';
import { SparseCache } from '../../engine/kv/sparseCache.ts';
import { evictingSlots, evictingState, type EvictingSpec } from '../../engine/models/evictingSpec.ts';
import type { SparseSpec } from '../../engine/models/sparseSpec.ts';
import { openTestDevice } from '../../engine/testing/device.ts';
import { best, line } from './measure.ts';

const device = await openTestDevice();
console.log(device.facts.name);
const [maxRows, position] = [64, 8192];
const storage = (values: number): GPUBuffer => device.memory.storage('activations', 'bench', values * 4);
const step = new StepUniform(device);

async function measure(name: string, bound: Bound, amount: (rows: number) => number, unit: 'GFLOP/s' | 'GB/s'): Promise<void> {
  for (const rows of [maxRows, 1]) {
    const now = { rows, position };
    step.write(now);
    console.log(line(`${name}, ${rows} rows`, await best(device, (pass) => bound.encode(pass, now)), amount(rows), unit));
  }
}

const [heads, kvHeads, headDim] = [32, 8, 64];
const widths = [2 * headDim, headDim, headDim / 2, headDim / 4];
const convolutions = widths.slice(1).map((outputs, stage) => ({ inputs: widths[stage], outputs }));
const evicting = { kind: 'evicting', heads, kvHeads, headDim, windowTokens: 769, budgetTokens: 512, sinkTokens: 4, router: { convolutions } } as unknown as EvictingSpec;
const cache = new StateCache(device, 'bench', evicting);
const slots = evictingSlots(evicting);
const { rows: tails } = evictingState(evicting);
for (const [stage, { inputs, outputs }] of convolutions.entries()) {
  const io = { groups: kvHeads, inputs, outputs, stride: kvHeads * inputs, firstOffset: 0, secondOffset: 0, split: inputs, weight: storage(3 * kvHeads * inputs * outputs), bias: storage(kvHeads * outputs) };
  const bound = await bindScoreConvolution(device, { ...io, input: storage(maxRows * kvHeads * inputs), cache, tail: tails[stage], delayRows: 2 * (stage + 1), output: storage(maxRows * kvHeads * outputs), step: step.buffer });
  await measure(`judging tokens, convolution ${stage + 1}`, bound, (rows) => 6 * rows * kvHeads * inputs * outputs, 'GFLOP/s');
}
const scores = storage(kvHeads * maxRows);
const scoring = { input: storage(maxRows * kvHeads * widths[3]), groups: kvHeads, inputs: widths[3], weight: storage(kvHeads * widths[3]), bias: storage(kvHeads), scores, maxRows, step: step.buffer };
await measure('judging tokens, scores', await bindRetentionScores(device, scoring), (rows) => 4 * rows * kvHeads * widths[3], 'GB/s');
const shared = { spec: evicting, cache, scores, keys: storage(kvHeads * maxRows * headDim), values: storage(kvHeads * maxRows * headDim), until: storage(kvHeads * (slots + maxRows)), sources: storage(kvHeads * slots), step: step.buffer, maxRows };
const { plan, gather } = await bindEviction(device, shared);
await measure('eviction, plan', plan, () => 16 * kvHeads * slots, 'GB/s');
await measure('eviction, gather', gather, () => 16 * kvHeads * slots * headDim, 'GB/s');
const attention = await bindEvictingAttention(device, { ...shared, queries: storage(maxRows * heads * headDim), output: storage(maxRows * heads * headDim) });
await measure('evicting attention', attention, (rows) => 4 * rows * heads * headDim * slots, 'GFLOP/s');

const sparse = { kind: 'sparse', heads, kvHeads: 2, headDim, blockTokens: 64, chosenBlocks: 16, windowTokens: 512 } as unknown as SparseSpec;
const all = new SparseCache(device, 'bench', sparse, position + maxRows);
const io = { importance: storage(maxRows * 2 * all.blocks), chosen: storage(maxRows * 2 * 16), queries: storage(maxRows * heads * headDim), output: storage(maxRows * heads * headDim), gates: storage(3 * maxRows * heads) };
const { means, overview, choose, attend } = await bindSparse(device, { ...io, spec: sparse, cache: all, step: step.buffer });
const remade: Bound = {
  encode: (pass, now) => {
    all.noteFilled();
    means.encode(pass, now);
  },
};
await measure('means of all blocks', remade, () => 8 * 2 * headDim * position, 'GB/s');
await measure('attention to means', overview, (rows) => (4 * rows * heads * headDim * position) / 64, 'GFLOP/s');
await measure('choice of blocks', choose, (rows) => (4 * rows * 2 * position) / 64, 'GB/s');
await measure('attention to chosen blocks and window', attend, (rows) => 4 * rows * heads * headDim * (16 * 64 + 512), 'GFLOP/s');

const far = 32_768;
const shape = { heads, kvHeads, headDim };
const resident = new KvCache(device, 'bench', { format: 'f16', kvHeads, headDim, capacitySlots: far + 128 }, null);
const reading = new ResidentReading(device, { share: 0.25, fromTokens: 0 }, { ...shape, format: 'f16' }, { contextTokens: far + 128, maxRows: 128 });
const queries = storage(128 * heads * headDim);
const output = storage(128 * heads * headDim);
const keyMeans = allocateKeyMeans(device, resident.layout, far, 'bench');
const building = await bindKeyMeans(device, { layout: resident.layout, keys: resident.keys, means: keyMeans, contextTokens: far });
const [rowsAt] = reading.rowsOf({ rows: 128, position: far });
const choosing = await bindBlockChoice(device, { ...shape, queries, means: keyMeans, scratch: reading.scratch, numbers: reading.blocks[0].numbers });
const sparsely = await bindResidentReading(device, reading, { ...shape, queries, output, cache: resident });
const dense = await bindAttention(device, { ...shape, queries, output, keys: resident.keys, values: resident.values, layout: resident.layout, window: null, step: step.buffer, maxRows: 128, contextTokens: far + 128 });
const chunk = { rows: 128, position: far };
step.write(chunk);
reading.write([rowsAt]);
const readingLine = async (name: string, bound: Bound, amount: number, unit: 'GFLOP/s' | 'GB/s'): Promise<void> => console.log(line(`sparse reading: ${name}`, await best(device, (pass) => bound.encode(pass, chunk)), amount, unit));
await readingLine('means of all keys', { encode: (pass) => building.encode(pass, 0, far / 64) }, 2 * kvHeads * headDim * far, 'GB/s');
await readingLine('choice of blocks', { encode: (pass) => choosing.encode(pass, 128, rowsAt.shares) }, (2 * 16 * heads * headDim * far) / 16, 'GFLOP/s');
await readingLine('all of it, without the means', sparsely, 4 * 128 * heads * headDim * far, 'GFLOP/s');
await readingLine('attention to everything', dense, 4 * 128 * heads * headDim * far, 'GFLOP/s');
process.exit(0);
