/**
 * Where the time of a decoding step goes when the context is larger than the GPU's share.
 *
 *     node dist/bench/farDecode.js --model M.gguf --book BOOK.txt [--tokens 6000] [--steps 64] [--gpu-share 0.25] \
 *       [--policies resident,sketch:2%,full] [--kernels]
 *
 * One JSON line a policy, for a greedy continuation of the book's first tokens: ms a step (median), and of it the
 * processor's time in encoding, waiting for what is to be fetched, and fetching; `resident` has everything on the GPU.
 * With --kernels also the GPU's time by part of the model, every part by itself.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import type { Policy } from '../engine/kv/tiers/policy.ts';
import { timeEncoding } from '../engine/measure/timing.ts';
import { loadModel, type LoadedModel } from '../engine/model.ts';
import { kvBytes } from '../engine/models/spec.ts';
import { Sampler } from '../engine/sampling/sampler.ts';
import { greedySettings } from '../engine/sampling/settings.ts';
import { createTokenizer } from '../engine/tokenizer/createTokenizer.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { FileWeightSource } from '../host/models/fileWeightSource.ts';
import { median } from './median.ts';
import { parsePolicies } from './truth/policies.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    book: { type: 'string' },
    tokens: { type: 'string', default: '6000' },
    steps: { type: 'string', default: '64' },
    'gpu-share': { type: 'string', default: '0.25' },
    policies: { type: 'string', default: 'resident,sketch:2%' },
    kernels: { type: 'boolean', default: false },
  },
});
if (!values.model || !values.book) throw new Error('--model and --book are needed');
const modelPath = values.model;
const wantedTokens = Number(values.tokens);
const steps = Number(values.steps);
const contextTokens = wantedTokens + 2 * steps + 64;

const device = await openAdapter({ boundsChecks: false });
const source = await FileWeightSource.open(modelPath);
const choices = new Map<string, string>();

async function open(far: boolean): Promise<LoadedModel> {
  const common = { contextTokens, kvBudgetBytes: Infinity, choices };
  const plain = await loadModel(device, source, common);
  if (!far) return plain;
  const halfBytes = kvBytes(plain.spec, contextTokens, 2, 0);
  plain.free();
  const gpuBudgetBytes = Math.floor(Number(values['gpu-share']) * halfBytes.full);
  return loadModel(device, source, { ...common, tiers: { gpuBudgetBytes, ramBudgetBytes: Infinity, format: 'f16', disk: null, offload: 'always' } });
}

interface StepTimes {
  stepMs: number;
  encodeMs: number;
}

/** One greedy step as decoding makes it, but with its end awaited. */
async function step({ runner, sequence }: LoadedModel, sampler: Sampler): Promise<StepTimes & { token: number }> {
  const startMs = performance.now();
  const waitedBefore = runner.far ? runner.far.report.total.waitMs + runner.far.report.total.fetchMs : 0;
  const encoder = await runner.encodeLayers({ rows: 1, position: sequence.length });
  runner.encodeHead(encoder, [0]);
  const pass = encoder.beginComputePass();
  sampler.encode(pass, { logits: runner.logits, token: runner.tokens });
  pass.end();
  const read = sampler.encodeRead(encoder);
  device.gpu.queue.submit([encoder.finish()]);
  const waited = runner.far ? runner.far.report.total.waitMs + runner.far.report.total.fetchMs - waitedBefore : 0;
  const encodeMs = performance.now() - startMs - waited;
  const [token] = await read();
  return { stepMs: performance.now() - startMs, encodeMs, token };
}

async function kernelTimes({ runner, sequence }: LoadedModel): Promise<Record<string, number>> {
  const one = { rows: 1, position: sequence.length, sealed: runner.far?.sealed };
  runner.prepare(one);
  runner.prepareHead(1);
  const groups = Map.groupBy([...runner.layers, ...runner.head], ({ name }) => name);
  const times: Record<string, number> = {};
  for (const [name, parts] of groups) {
    const { ms } = await timeEncoding(device, (pass) => parts.forEach((each) => each.encode(pass, one)), { passes: 3 });
    times[name] = Math.round(ms * 1000) / 1000;
  }
  return times;
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

async function measure(label: string, policy: Policy | null): Promise<void> {
  const model = await open(policy !== null);
  const { runner, sequence } = model;
  const sampler = await Sampler.create(device, { vocabularySize: model.spec.vocabularySize, maxContextTokens: contextTokens });
  if (runner.far && policy) runner.far.policy = policy;
  const tokens = createTokenizer(model.file.metadata).encode(readFileSync(values.book ?? '', 'utf8').slice(0, 8 * wantedTokens)).slice(0, wantedTokens);
  const readingStartMs = performance.now();
  await sequence.extend(tokens);
  const readingMs = performance.now() - readingStartMs;
  sampler.begin(greedySettings);
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  sampler.encode(pass, { logits: runner.logits, token: runner.tokens });
  pass.end();
  const read = sampler.encodeRead(encoder);
  device.gpu.queue.submit([encoder.finish()]);
  let [token] = await read();
  const times: StepTimes[] = [];
  // The first steps fill the slots.
  for (let i = 0; i < 2 * steps; i++) {
    if (i === steps) runner.far?.report.reset();
    const taken = await step(model, sampler);
    sequence.append(token);
    token = taken.token;
    if (i >= steps) times.push(taken);
  }
  const total = runner.far?.report.total;
  const line = {
    policy: label,
    model: basename(modelPath),
    adapter: device.facts.name,
    tokens: wantedTokens,
    gpuShare: policy ? Number(values['gpu-share']) : 1,
    planes: runner.far?.plan.layout.planes,
    slots: runner.far?.plan.slots,
    readingTokensPerSecond: Math.round((1000 * wantedTokens) / readingMs),
    stepMs: rounded(median(times.map(({ stepMs }) => stepMs))),
    slowestMs: rounded(Math.max(...times.map(({ stepMs }) => stepMs))),
    encodeMs: rounded(median(times.map(({ encodeMs }) => encodeMs))),
    ...(total
      ? {
          waitMs: rounded(total.waitMs / steps),
          fetchMs: rounded(total.fetchMs / steps),
          exactShare: rounded(total.exactKeys / total.farKeys),
          hitShare: rounded(total.hitKeys / Math.max(1, total.exactKeys)),
        }
      : {}),
    ...(values.kernels ? { kernels: await kernelTimes(model) } : {}),
  };
  console.log(JSON.stringify(line));
  model.free();
}

for (const text of values.policies.split(',')) {
  if (text === 'resident') await measure(text, null);
  else for (const { label, policy } of parsePolicies(text, ['2%'])) await measure(label, policy);
}
process.exit(0);
