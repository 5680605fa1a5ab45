/**
 * What watching a few heads while an answer is written costs: the same continuation with and without it, by turns.
 *
 *     node dist/bench/liveAttention.js --model M.gguf [--tokens 512,4000] [--steps 32] [--rounds 5]
 *
 * One JSON line a length: ms a token without and with, by the clock and by the processor (medians over the rounds), their
 * ratios, and how many heads were watched.
 */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { generateTokens } from '../engine/generate.ts';
import { AttentionRecorder } from '../engine/inspect/attentionRecorder.ts';
import type { WatchedPart } from '../engine/inspect/watchKernels.ts';
import { loadModel } from '../engine/model.ts';
import { Sampler } from '../engine/sampling/sampler.ts';
import { greedySettings } from '../engine/sampling/settings.ts';
import { Readback } from '../engine/device/readback.ts';
import { benchTokens } from '../host/benchTokens.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { chooseWatchedHeads, costsOfStep } from '../host/gpu-worker/inspect/watchedHeads.ts';
import { FileWeightSource } from '../host/models/fileWeightSource.ts';
import { median } from './median.ts';

const { values } = parseArgs({ options: { model: { type: 'string' }, tokens: { type: 'string', default: '512,4000' }, steps: { type: 'string', default: '32' }, rounds: { type: 'string', default: '5' } } });
if (!values.model) throw new Error('--model is needed');
const lengths = values.tokens.split(',').map(Number);
const [steps, rounds] = [Number(values.steps), Number(values.rounds)];

const device = await openAdapter({ boundsChecks: false });
const readback = new Readback(device);
const source = await FileWeightSource.open(values.model);
const { runner, sequence, spec, contextTokens } = await loadModel(device, source, { contextTokens: Math.max(...lengths) + steps + 64, kvBudgetBytes: Infinity, choices: new Map() });
const sampler = await Sampler.create(device, { vocabularySize: spec.vocabularySize, maxContextTokens: contextTokens });

interface Cost {
  wallMs: number;
  processorMs: number;
}

/** Of a token, behind the prompt. */
async function answer(prompt: readonly number[], watching: boolean): Promise<Cost & { heads: number }> {
  const watched = chooseWatchedHeads(spec, [], { keys: prompt.length, step: costsOfStep(runner, { rows: 1, position: prompt.length }, device.facts.kind) });
  if (!watched) throw new Error('the model attends to nothing');
  const partTokens = Math.ceil(prompt.length / 512);
  const parts = Array.from({ length: Math.ceil((prompt.length + steps) / partTokens) }, (_, i): WatchedPart => ({ begin: i * partTokens, end: (i + 1) * partTokens, zone: i === 0 ? 'sinks' : 'document' }));
  const recorder = watching ? await AttentionRecorder.open(device, runner, readback, { heads: watched.all, chosen: (head) => watched.fetching.includes(head), parts, firstPosition: prompt.length - 1, onRows: () => undefined }) : null;
  await sequence.extend(prompt);
  sampler.begin(greedySettings, prompt);
  let [startMs, before] = [0, process.cpuUsage()];
  let made = 0;
  for await (const _ of generateTokens(device, runner, sequence, sampler, { maxTokens: steps + 1, endTokens: new Set(), onStep: (position) => recorder?.stepped(position) })) {
    if (made++ === 0) [startMs, before] = [performance.now(), process.cpuUsage()];
  }
  await recorder?.finish(prompt.length + steps);
  const { user, system } = process.cpuUsage(before);
  const cost = { wallMs: (performance.now() - startMs) / steps, processorMs: (user + system) / 1000 / steps, heads: watched.all.length };
  recorder?.close();
  return cost;
}

for (const length of lengths) {
  const prompt = benchTokens(length, spec.vocabularySize);
  const costs: Record<'without' | 'with', Cost[]> = { without: [], with: [] };
  let heads = 0;
  // The first of each only compiles.
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const)) {
      const cost = await answer(prompt, name === 'with');
      heads = cost.heads;
      if (round > 0) costs[name].push(cost);
    }
  }
  const of = (name: keyof typeof costs, what: keyof Cost): number => Math.round(100 * median(costs[name].map((cost) => cost[what]))) / 100;
  const ratio = (what: keyof Cost): number => Math.round(1000 * median(costs.with.map((cost, i) => cost[what] / costs.without[i][what]))) / 1000;
  console.log(JSON.stringify({ bench: 'liveAttention', model: basename(values.model), adapter: device.facts.shortName, tokens: length, steps, rounds, heads, wallMs: [of('without', 'wallMs'), of('with', 'wallMs')], processorMs: [of('without', 'processorMs'), of('with', 'processorMs')], wallRatio: ratio('wallMs'), processorRatio: ratio('processorMs') }));
}
process.exit(0);
