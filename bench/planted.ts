/**
 * Long contexts without a model: noise as keys and values, straight into the tiers, with planted keys of known answers
 * among queries that lie far from all keys. Every planted key must be found, GPU memory must stay within its budget
 * throughout (the ledger throws), and decoding must not slow down faster than what it scans grows.
 *
 *     node dist/bench/planted.js --tokens 131072 [--layers 16] [--first-layer 0] [--seed N] [--budget 1%|512] [--gpu-share 0.25] [--format f16]
 *       [--ram BYTES --disk FOLDER] [--steps 8] [--policy sketch] [--lengths 32768,65536] [--kernels] [--out FILE.jsonl]
 *
 * Layers do not know of each other: on a slow machine a few of them can be run at a time, `--first-layer` on.
 *
 * One JSON line a length; exit status 1 when one of the three does not hold.
 */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Readback } from '../engine/device/readback.ts';
import { seededRandom } from '../engine/formats/quantisation/testing/seededRandom.ts';
import { defaultPolicy, estimatesRest, type PolicyName } from '../engine/kv/tiers/policy.ts';
import { planTiers } from '../engine/kv/tiers/plan.ts';
import { sumByKernel, timeDispatches } from '../engine/measure/dispatchTimes.ts';
import type { AttentionSpec, BlockSpec, ModelSpec } from '../engine/models/spec.ts';
import { clusterTokens, eightBitRecordWords, sinkTokens } from '../engine/retrieval/layout.ts';
import { planeWords } from '../engine/retrieval/sketch.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { CopyThreads } from '../host/gpu-worker/copyThreads.ts';
import { SpillFolder } from '../host/gpu-worker/spillFolder.ts';
import { type Needle, Needles } from './planted/needles.ts';
import { SyntheticLayers } from './planted/syntheticLayers.ts';

const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: '131072' },
    layers: { type: 'string', default: '16' },
    'first-layer': { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    budget: { type: 'string', default: '1%' },
    policy: { type: 'string', default: 'sketch' },
    'gpu-share': { type: 'string', default: '0.25' },
    format: { type: 'string', default: 'f16' },
    ram: { type: 'string' },
    disk: { type: 'string' },
    steps: { type: 'string', default: '8' },
    lengths: { type: 'string' },
    kernels: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});

/** Those of Llama 3.2 1B. */
const shape = { heads: 32, kvHeads: 8, headDim: 64 };
const group = shape.heads / shape.kvHeads;
const tokens = Number(values.tokens);
const layers = Number(values.layers);
/** Other noise and other needles for each group of layers. */
const seed = 1000 * Number(values.seed) + Number(values['first-layer']);
const steps = Number(values.steps);
const format = values.format === 'q8' ? 'q8' : 'f16';
const lengths = values.lengths ? values.lengths.split(',').map(Number) : [tokens / 4, tokens / 2, tokens];
/** An answer counts when this much of it is the planted value. */
const foundFrom = 0.8;
/** How much faster than its bytes a step's time may grow: timers and schedules are not exact. */
const growthTolerance = 1.15;

const attention: AttentionSpec = {
  kind: 'full',
  ...shape,
  queryScale: 1,
  temperature: null,
  windowTokens: null,
  rotary: { pairing: 'halves', rotatedDims: shape.headDim, base: 10_000, positionScale: 1, divisors: null, longDivisors: null, yarn: null, magnitude: 1 },
  tensors: { projections: [], biases: [], output: '', queryNorm: null, keyNorm: null },
};
const model = { name: 'Synthetic keys and values', blocks: Array.from({ length: layers }, () => ({ mixer: attention }) as BlockSpec) } as unknown as ModelSpec;

const device = await openAdapter({ boundsChecks: false });
const readback = new Readback(device);
const halfBytes = 4 * shape.kvHeads * shape.headDim * tokens * layers;
const gpuBytes = Math.floor(Number(values['gpu-share']) * halfBytes);
const plan = planTiers(model, { gpuBytes, format, contextTokens: tokens, maxRows: 512, maxChunkRows: 512, largestShare: 0.05 });
const { segmentTokens, planes } = plan.layout;
device.memory.limit('kv', device.memory.report().kvBytes + gpuBytes);
const needles = new Needles({ seed, headDim: shape.headDim, tokens, questions: lengths.length * steps * shape.heads * layers });
const random = seededRandom(seed + 1);
const disk = values.disk ? new SpillFolder(values.disk) : null;
const synthetic = await SyntheticLayers.create(device, attention, plan, { layers, seed, ramBudgetBytes: Number(values.ram ?? Infinity), disk, copies: CopyThreads.forThisMachine(), needles });
const { loose } = synthetic;
const { context } = loose;
const percent = /^([\d.]+)%$/.exec(values.budget);
const name = values.policy as PolicyName;
context.policy = { ...defaultPolicy, name, budget: percent ? { share: Number(percent[1]) / 100 } : { tokens: Number(values.budget) }, estimate: estimatesRest[name] };

/** Every head is asked for another needle in each step, and there are as many as steps and lengths need. */
const needlesPerHead = steps * group * lengths.length;
const bySegment = new Map<number, Needle[]>();
for (let layer = 0; layer < layers; layer++) {
  for (let kvHead = 0; kvHead < shape.kvHeads; kvHead++) {
    const taken = new Set<number>();
    for (let i = 0; i < needlesPerHead; i++) {
      // An equal share of them in each stretch between two lengths, and none in what stays in the ring at its end.
      const at = Math.floor(i / (steps * group));
      const begin = at === 0 ? sinkTokens : lengths[at - 1];
      let position: number;
      do position = begin + Math.floor(random() * (lengths[at] - begin - 2 * segmentTokens));
      while (taken.has(position));
      taken.add(position);
      needles.plant(layer, kvHead, position);
    }
  }
}
for (const needle of needles.all) {
  const segment = Math.floor(needle.position / segmentTokens);
  bySegment.set(segment, [...(bySegment.get(segment) ?? []), needle]);
}

/** What a step reads of a layer's index at the least. */
function scannedBytes(sealed: number): number {
  const scan = (Math.min(2, planes) * planeWords(shape.headDim) + 1) * 4 * sealed;
  const clusters = (2 * eightBitRecordWords(shape.headDim) + 1) * 4 * (sealed / clusterTokens);
  return layers * shape.kvHeads * (scan + clusters);
}

/** Of this process: where the adapter computes on the processor, others may share it. */
function processorClockMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

interface Line {
  bench: 'planted';
  tokens: number;
  sealedTokens: number;
  asked: number;
  found: number;
  stepMs: number;
  stepProcessorMs: number;
  scannedBytes: number;
  [more: string]: unknown;
}

async function ask(length: number, at: number): Promise<Line> {
  const { sealed, report } = context;
  const scores: number[] = [];
  const times: number[] = [];
  const processorTimes: number[] = [];
  report.reset();
  for (let step = 0; step < steps; step++) {
    const wanted = new Map<string, Needle>();
    for (const [layer, { queries }] of loose.layers.entries()) {
      for (let head = 0; head < shape.heads; head++) {
        const kvHead = Math.floor(head / group);
        // Needles of all lengths up to this one, the newest and the oldest alike.
        const index = (layer * shape.kvHeads + kvHead) * needlesPerHead + ((step * group + (head % group)) * (at + 1) + (step % (at + 1))) % ((at + 1) * steps * group);
        const needle = needles.all[index];
        wanted.set(`${layer} ${head}`, needle);
        device.gpu.queue.writeBuffer(queries, 4 * head * shape.headDim, needles.queryFor(needle) as Float32Array<ArrayBuffer>);
      }
    }
    await device.finished();
    const [startMs, startProcessorMs] = [performance.now(), processorClockMs()];
    await loose.decode();
    times.push(performance.now() - startMs);
    processorTimes.push(processorClockMs() - startProcessorMs);
    for (const [layer, { mixed }] of loose.layers.entries()) {
      const output = await readback.floats(mixed, 0, shape.heads * shape.headDim);
      for (let head = 0; head < shape.heads; head++) {
        const needle = wanted.get(`${layer} ${head}`);
        if (needle) scores.push(needles.found(needle, output.subarray(head * shape.headDim, (head + 1) * shape.headDim)));
      }
    }
  }
  for (const list of [times, processorTimes]) list.sort((a, b) => a - b);
  const { kvBytes, activationsBytes, stagingBytes } = device.memory.report();
  const { farKeys, exactKeys, hitKeys, fetchedKeys, droppedKeys, waitMs, fetchMs } = report.total;
  return {
    bench: 'planted',
    tokens: length,
    sealedTokens: sealed,
    asked: scores.length,
    found: scores.filter((score) => score >= foundFrom).length,
    worstScore: Math.min(...scores),
    stepMs: times[steps >> 1],
    slowestStepMs: times[steps - 1],
    stepProcessorMs: processorTimes[steps >> 1],
    waitMs: waitMs / steps,
    fetchMs: fetchMs / steps,
    scannedBytes: scannedBytes(sealed),
    policy: context.policy,
    exactShare: exactKeys / farKeys,
    hitKeys,
    fetchedKeys,
    droppedKeys,
    shape: { layers, ...shape },
    planes,
    format,
    gpuBudgetBytes: gpuBytes,
    gpuBytes: { kv: kvBytes, activations: activationsBytes, staging: stagingBytes, planned: plan.bytes },
    outsideBytes: { ram: context.store.bytes.ramBytes, disk: context.store.bytes.diskBytes },
    buildSeconds: buildMs / 1000,
    adapter: device.facts.name,
    seed: Number(values.seed),
    firstLayer: Number(values['first-layer']),
  };
}

/** The GPU's time of a step by kernel, all layers together. */
async function tellKernels(length: number): Promise<void> {
  const step = { rows: 1, position: loose.length - 1, sealed: context.sealed };
  // The first round warms up.
  for (const tell of [false, true]) {
    const times = await timeDispatches(device, (pass) => loose.parts.forEach((part) => part.encode(pass, step)));
    if (tell && times) console.log(JSON.stringify({ bench: 'planted kernels', tokens: length, layers, adapter: device.facts.name, kernels: sumByKernel(times) }));
  }
  // What it asked for nobody brings.
  for (const { memory } of context.layers) memory.table.forgetFrom(0);
}

let buildMs = 0;
const lines: Line[] = [];
for (const [at, length] of lengths.entries()) {
  const started = performance.now();
  while (loose.length < length) {
    await synthetic.append(bySegment.get(loose.length / segmentTokens) ?? []);
    if (loose.length % (64 * segmentTokens) === 0) console.error(`${loose.length} tokens, ${((buildMs + performance.now() - started) / 1000).toFixed(1)} s`);
  }
  await loose.seal();
  await device.finished();
  buildMs += performance.now() - started;
  const line = await ask(length, at);
  lines.push(line);
  const text = JSON.stringify(line);
  console.log(text);
  if (values.out) appendFileSync(values.out, `${text}\n`);
  if (values.kernels) await tellKernels(length);
}
const problems = lines.filter(({ found, asked }) => found < asked).map(({ found, asked, tokens: length }) => `${asked - found} of ${asked} planted keys were not found in ${length} tokens`);
for (const [index, line] of lines.entries()) {
  const before = lines[index - 1];
  if (!before) continue;
  const time = device.facts.kind === 'software' ? 'stepProcessorMs' : 'stepMs';
  const [slower, more] = [line[time] / before[time], line.scannedBytes / before.scannedBytes];
  if (slower > growthTolerance * more) problems.push(`from ${before.tokens} to ${line.tokens} tokens a step's time grew ${slower.toFixed(2)} times, its bytes ${more.toFixed(2)} times`);
}
for (const problem of problems) console.error(problem);
disk?.removeAll();
process.exit(problems.length > 0 ? 1 : 0);
