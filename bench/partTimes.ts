/**
 * What attention costs a far layer in a decoding step: to its ring, to listed slots, to weighed clusters, and the merge
 * of the three, with a dispatch for each part or one for all, by splits and by kernel:
 *
 *     node dist/bench/partTimes.js [--heads 32] [--kv-heads 8] [--head-dim 128] [--ring 576] [--listed 3338]
 *       [--clusters 8192] [--format f16] [--layers 4] [--variants shared,together] [--splits 8,32,32] [--stages]
 *       [--rounds 3] [--small] [--out FILE.jsonl]
 *
 * One pass repeats the dispatches for layers with keys and values of their own, so that each waits as in earnest and
 * finds no more in the caches; the list, the weights and the partials are the same for all, as in a model.
 *
 * First come splits: the parts in turn by the most promising kernel (`shared`), and `together` by several. Then the other
 * kernels in turn, and smaller workgroups and the other order together, at --splits (ring, list, clusters; left out, at
 * the fastest). One JSON line a variant: microseconds of a layer, the best of --rounds rounds, and the largest difference
 * from the plain kernel, relative to the root mean square of its results; more than 0.001 ends with status 1. --variants
 * names variants by how their names begin. With --stages also each part alone and the merge alone, by the kernel for all
 * where there is one. --format is that of the slots. --small, with few kernels, runs on a software adapter.
 */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Readback } from '../engine/device/readback.ts';
import { type FarFormat, recordWords } from '../engine/kv/tiers/record.ts';
import { attentionRivals } from '../engine/layers/attention/choice.ts';
import { allocatePartials, bindMerge, mostMergedSplits } from '../engine/layers/attention/merge.ts';
import { partKeys } from '../engine/layers/attention/partial.ts';
import { bindParts, type PartKeys } from '../engine/layers/attention/parts.ts';
import { splitVariants, sweptShapes } from '../engine/layers/attention/split.ts';
import type { AttentionVariant, KeysRead } from '../engine/layers/attention/variants.ts';
import { StepUniform } from '../engine/layers/step.ts';
import { timeEncoding } from '../engine/measure/timing.ts';
import { warmUp } from '../engine/measure/warmUp.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';

const { values } = parseArgs({
  options: {
    heads: { type: 'string' },
    'kv-heads': { type: 'string' },
    'head-dim': { type: 'string' },
    ring: { type: 'string' },
    listed: { type: 'string' },
    clusters: { type: 'string' },
    format: { type: 'string', default: 'f16' },
    layers: { type: 'string' },
    variants: { type: 'string' },
    splits: { type: 'string' },
    stages: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    small: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const usual = values.small
  ? { heads: 9, kvHeads: 3, headDim: 64, ring: 64, listed: 200, clusters: 512, layers: 2 }
  : { heads: 32, kvHeads: 8, headDim: 128, ring: 576, listed: 3338, clusters: 8192, layers: 4 };
const heads = Number(values.heads ?? usual.heads);
const kvHeads = Number(values['kv-heads'] ?? usual.kvHeads);
const headDim = Number(values['head-dim'] ?? usual.headDim);
const ringTokens = Number(values.ring ?? usual.ring);
const listedTokens = Number(values.listed ?? usual.listed);
const clusters = Number(values.clusters ?? usual.clusters);
const layers = Number(values.layers ?? usual.layers);
const format = values.format as FarFormat;
if (format !== 'f16' && format !== 'q8') throw new Error('--format takes f16 and q8');

const partNames = ['ring', 'list', 'weighed'] as const;
type PartName = (typeof partNames)[number];
type Stage = PartName | 'merge';
const stages: readonly Stage[] = [...partNames, 'merge'];

/** Workgroups along the keys of each part. */
type Splits = Record<PartName, number>;

interface Way {
  variant: string;
  splits: Splits;
  /** How the name of an attention variant begins, of all parts or of each. */
  kernel: string | Record<PartName, string>;
  /** In one dispatch, in this order. */
  together?: readonly PartName[];
}

function splitsOf([ring, list, weighed]: readonly number[]): Splits {
  return { ring, list, weighed };
}

function inTurn(splits: Splits, kernel: string, name = ''): Way {
  return { variant: `shared ${Object.values(splits).join('+')}${name}`, splits, kernel };
}

const today = splitsOf([8, 32, 32]);
const turnSplits = [today, ...[[8, 32, 64], [16, 64, 64]].map(splitsOf)];
const togetherSplits = [today, ...[[8, 32, 64], [16, 32, 64], [16, 32, 128], [8, 32, 128], [8, 32, 48], [8, 48, 32], [8, 64, 32], [8, 64, 48]].map(splitsOf)];
/** Lanes that share a key and keys at once, of halves and of 8 bits: those of a dispatch need not be the same. */
const ofHalves = [[32, 4], [16, 4]];
const ofEightBits = [[4, 2], [4, 4], [8, 2], [8, 4], [16, 4]];
/** Beginning with what takes longest, and with what takes least. */
const orders: readonly (readonly PartName[])[] = [['weighed', 'list', 'ring'], partNames];

/** By every pair of kernels of so many threads, or by one only. */
function together(splits: Splits, threads: number, order = orders[0]): Way[] {
  const kernel = ([lanes, keys]: number[]): string => `attention_split, ${threads} threads, ${lanes} lanes and 4 heads a key at most, ${keys} keys`;
  const narrows = threads === 128 ? [...ofEightBits, [8, 8]] : ofEightBits;
  const pairs = values.small ? [[ofHalves[0], [8, 4]]] : ofHalves.flatMap((wide) => narrows.map((narrow) => [wide, narrow]));
  return pairs.map(([wide, narrow]) => ({
    variant: `together ${Object.values(splits).join('+')}: ${threads} threads, ${wide.join('·')} and ${narrow.join('·')}${order === orders[0] ? '' : `, ${order.join(', ')}`}`,
    splits,
    kernel: { ring: kernel(wide), list: kernel(format === 'f16' ? wide : narrow), weighed: kernel(narrow) },
    together: order,
  }));
}

/** The keys and values of a part of a layer. */
interface Part extends PartKeys {
  /** Keys that are attended to, where neither the step nor a list says it. */
  count: number;
}

const device = await openAdapter({ boundsChecks: false });
const { queue } = device.gpu;

const randomWord = (): number => Math.floor(Math.random() * 2 ** 32);
/** Two halves of 0.125 to 2, the first of either sign. */
const halves = (): number => (0x3000 + Math.floor(Math.random() * 0x0c00)) * 0x10001 + (Math.random() < 0.5 ? 0x8000 : 0);
const scaleBits = new Uint32Array(Float32Array.of(0.01).buffer)[0];
/** Integers of a record of 8 bits, then its scale. */
const eightBits = (index: number): number => (index % recordWords('q8', headDim) === headDim / 4 ? scaleBits : randomWord());

/** A buffer that repeats about a million words, whole records: making more would take longer than measuring. */
function filled(words: number, word: (index: number) => number): GPUBuffer {
  const buffer = device.memory.storage('kv', 'bench', 4 * words);
  const record = recordWords('q8', headDim);
  const some = Uint32Array.from({ length: Math.min(words, record * Math.ceil(2 ** 20 / record)) }, (_, index) => word(index));
  for (let first = 0; first < words; first += some.length) queue.writeBuffer(buffer, 4 * first, some, 0, Math.min(some.length, words - first));
  return buffer;
}

function vectors(stored: FarFormat, slots: number): { keys: GPUBuffer; values: GPUBuffer } {
  const make = (): GPUBuffer => filled(kvHeads * slots * recordWords(stored, headDim), stored === 'f16' ? halves : eightBits);
  return { keys: make(), values: make() };
}

/** Slots in an order of chance, another one for each head. */
function slotList(slots: number): GPUBuffer {
  const list = new Uint32Array(kvHeads * listedTokens);
  for (let head = 0; head < kvHeads; head++) {
    const order = Uint32Array.from({ length: slots }, (_, slot) => slot);
    for (let i = 0; i < listedTokens; i++) {
      const other = i + Math.floor(Math.random() * (slots - i));
      list[head * listedTokens + i] = order[other];
      order[other] = order[i];
    }
  }
  return filled(list.length, (index) => list[index]);
}

// Twice as many slots as are listed: what is listed is scattered.
const slots = 2 * listedTokens;
const list = slotList(slots);
const counts = filled(kvHeads, () => listedTokens);
const weights = filled(kvHeads * clusters, () => Math.floor(Math.random() * 20));
const layerParts = Array.from({ length: layers }, (): Record<PartName, Part> => ({
  ring: { source: { kind: 'ring', format: 'f16' }, ...vectors('f16', ringTokens), capacitySlots: ringTokens, count: 0 },
  list: { source: { kind: 'list', format, list, counts, listCapacity: listedTokens }, ...vectors(format, slots), capacitySlots: slots, count: 0 },
  weighed: { source: { kind: 'weighed', format: 'q8', weights }, ...vectors('q8', clusters), capacitySlots: clusters, count: clusters },
}));
const queries = device.memory.storage('activations', 'queries', 4 * heads * headDim);
queue.writeBuffer(queries, 0, Float32Array.from({ length: heads * headDim }, () => (8 * (Math.random() - 0.5)) / Math.sqrt(headDim)));
const output = device.memory.storage('activations', 'output', 4 * heads * headDim);
const stepUniform = new StepUniform(device);
const step = { rows: 1, position: 8 * ringTokens - 1, sealed: 7 * ringTokens };
stepUniform.write(step);
const partials = allocatePartials(device, mostMergedSplits, heads, headDim);
const common = { queries, heads, kvHeads, headDim, step: stepUniform.buffer, partials };

/** All kernels, the plain one first, then what adapters choose among. */
function kernels(keys: KeysRead): AttentionVariant[] {
  const { decode } = attentionRivals(device, keys);
  const swept = splitVariants(device, keys, sweptShapes);
  return values.small ? [...decode.slice(0, 3), ...swept.slice(0, 2)] : [...decode, ...swept];
}

interface Chain {
  way: Way;
  /** All layers, one after the other, of each what is asked for. */
  encode(pass: GPUComputePassEncoder, asked?: readonly Stage[]): void;
}

async function bindChain(way: Way): Promise<Chain> {
  const { splits, kernel, together } = way;
  const order = together ?? partNames;
  const first: Splits = { ring: 0, list: splits.ring, weighed: splits.ring + splits.list };
  const merge = await bindMerge(device, { partials, output, headDim });
  const variantOf = (name: PartName, part: Part): AttentionVariant => {
    const start = typeof kernel === 'string' ? kernel : kernel[name];
    const variant = kernels(partKeys(part.source, { ...common, ...part })).find((one) => one.name.startsWith(start));
    if (!variant) throw new Error(`there is no ${start} for the part ${name}`);
    return variant;
  };
  const bindLayer = async (parts: Record<PartName, Part>) => {
    const variants = order.map((name) => variantOf(name, parts[name]));
    const bound = await bindParts(device, order.map((name) => parts[name]), common, { together: together !== undefined, variants });
    for (const [index, name] of order.entries()) bound.write(index, { keys: parts[name].count, firstSplit: first[name], continued: false });
    return bound;
  };
  const bound = await Promise.all(layerParts.map(bindLayer));
  return {
    way,
    encode: (pass, asked = stages) => {
      for (const layer of bound) {
        layer.encode(pass, step, order.map((name) => (asked.includes(name) ? splits[name] : 0)));
        if (asked.includes('merge')) merge.encode(pass, first.weighed + splits.weighed, heads);
      }
    },
  };
}

const readback = new Readback(device);

/** What the last layer attends to. */
async function resultOf(chain: Chain): Promise<Float32Array> {
  const encoder = device.gpu.createCommandEncoder();
  // What another chain left must not pass for this one's.
  for (const buffer of [output, partials.outputs, partials.logSumExps]) encoder.clearBuffer(buffer);
  const pass = encoder.beginComputePass();
  chain.encode(pass);
  pass.end();
  queue.submit([encoder.finish()]);
  return readback.floats(output, 0, heads * headDim);
}

/** The largest difference, relative to the root mean square. */
function relativeDifference(actual: Float32Array, expected: Float32Array): number {
  const rootMeanSquare = Math.sqrt(expected.reduce((sum, one) => sum + one ** 2, 0) / expected.length);
  // Not a number is no less than anything.
  return actual.reduce((most, one, index) => (Math.abs(one - expected[index]) <= most ? most : Math.abs(one - expected[index])), 0) / rootMeanSquare;
}

const tolerance = 1e-3;
const known = kernels(partKeys(layerParts[0].ring.source, { ...common, ...layerParts[0].ring })).map(({ name }) => name);
const [plainKernel, usualKernel = plainKernel] = known;
const plain = await resultOf(await bindChain(inTurn(today, plainKernel)));
const asked = values.variants?.split(',');
const isAsked = ({ variant }: Way): boolean => !asked || asked.some((start) => variant.startsWith(start));
const rounded = (microseconds: number): number => Math.round(10 * microseconds) / 10;

function tell(line: object): void {
  const text = JSON.stringify({ bench: 'partTimes', adapter: device.facts.name, heads, kvHeads, headDim, ring: ringTokens, listed: listedTokens, clusters, format, layers, ...line });
  console.log(text);
  if (values.out) appendFileSync(values.out, `${text}\n`);
}

interface Measured {
  way: Way;
  wholeMicroseconds: number;
}

/** All ways in turns. Tells what it measured, and what does not compile. */
async function measure(ways: readonly Way[]): Promise<Measured[]> {
  const bound = await Promise.all(ways.map((way) => bindChain(way).catch((error: unknown) => void tell({ ...way, failure: String(error) }))));
  const chains = bound.filter((chain) => chain !== undefined);
  const differences = new Map<Chain, number>();
  for (const chain of chains) differences.set(chain, relativeDifference(await resultOf(chain), plain));
  const best = new Map<Chain, number[]>();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const chain of chains) {
      const times: number[] = [];
      for (const part of [stages, ...(values.stages ? stages.map((stage) => [stage]) : [])]) times.push((1000 / layers) * (await timeEncoding(device, (pass) => chain.encode(pass, part))).ms);
      best.set(chain, times.map((time, index) => Math.min(time, best.get(chain)?.[index] ?? Infinity)));
    }
  }
  return chains.map((chain) => {
    const [whole, ...alone] = best.get(chain)!;
    const difference = differences.get(chain)!;
    if (!(difference <= tolerance)) process.exitCode = 1;
    const stageMicroseconds = values.stages ? Object.fromEntries(stages.map((stage, index) => [stage, rounded(alone[index])])) : undefined;
    tell({ ...chain.way, microseconds: rounded(whole), stageMicroseconds, difference });
    return { way: chain.way, wholeMicroseconds: whole };
  });
}

/** --splits, or those of the fastest of some that were measured. */
function bestSplits(measured: readonly Measured[]): Splits {
  if (values.splits) return splitsOf(values.splits.split(',').map(Number));
  return measured.length > 0 ? measured.reduce((a, b) => (b.wholeMicroseconds < a.wholeMicroseconds ? b : a)).way.splits : today;
}

await warmUp(device);
const measured = await measure([...turnSplits.map((splits) => inTurn(splits, usualKernel)), ...togetherSplits.flatMap((splits) => together(splits, 128))].filter(isAsked));
const inTurnAt = bestSplits(measured.filter(({ way }) => !way.together));
const togetherAt = bestSplits(measured.filter(({ way }) => way.together));
const others = known.filter((kernel) => kernel !== usualKernel).map((kernel) => inTurn(inTurnAt, kernel, `: ${kernel}`));
await measure([...others, ...(values.small ? [] : together(togetherAt, 64)), ...together(togetherAt, 128, orders[1])].filter(isAsked));
device.destroy();
process.exit();
