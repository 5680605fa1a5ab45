/**
 * When each token comes after a prompt was read, and what changes that: the first tokens after a long one are slower.
 *
 *     node dist/bench/firstTokens.js --model M.gguf [--prefill 8192] [--decode 256] [--rounds 2]
 *
 * One JSON line a round and way: the milliseconds of every eight tokens, and of encoding and submitting them.
 * `at-once`: decoding follows reading. `rested`: two seconds later. `repeated`: the same tokens again, over what is read
 * already. `short`: after 64 tokens.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generateTokens } from '../engine/generate.ts';
import { warmUp } from '../engine/measure/warmUp.ts';
import { loadModel } from '../engine/model.ts';
import { Sampler } from '../engine/sampling/sampler.ts';
import { greedySettings } from '../engine/sampling/settings.ts';
import { benchTokens } from '../host/benchTokens.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { ChoiceFile } from '../host/gpu-worker/choiceFile.ts';
import { FileWeightSource } from '../host/models/fileWeightSource.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    prefill: { type: 'string', default: '8192' },
    decode: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '2' },
  },
});
if (!values.model) throw new Error('--model is needed');
const [prefillTokens, decodeTokens, rounds] = [values.prefill, values.decode, values.rounds].map(Number);
const tokensALine = 8;
const restMs = 2000;

const device = await openAdapter({ boundsChecks: false });
const choices = new ChoiceFile(process.env['LONGLEAF_CACHE'] ?? join(homedir(), '.cache', 'longleaf'), device.facts);
const source = await FileWeightSource.open(values.model);
const { runner, sequence, spec, contextTokens, free } = await loadModel(device, source, { contextTokens: prefillTokens + decodeTokens + 8, kvBudgetBytes: Infinity, choices });
await source.close();
const sampler = await Sampler.create(device, { vocabularySize: spec.vocabularySize, maxContextTokens: contextTokens });

async function read(count: number): Promise<number[]> {
  const tokens = benchTokens(count, spec.vocabularySize);
  sequence.clear();
  await sequence.extend(tokens, {});
  return tokens;
}

/** Milliseconds of each token, by arrival; and those in which the processor encoded. */
async function decode(prompt: readonly number[]): Promise<{ tokenMs: number[]; encodeMs: number[] }> {
  sampler.begin(greedySettings, prompt);
  const arrived: number[] = [];
  const encodeMs: number[] = [];
  const encodeLayers = runner.encodeLayers.bind(runner);
  runner.encodeLayers = async (...given) => {
    const startedMs = performance.now();
    const encoder = await encodeLayers(...given);
    encodeMs.push(performance.now() - startedMs);
    return encoder;
  };
  for await (const token of generateTokens(device, runner, sequence, sampler, { maxTokens: decodeTokens + 1, endTokens: new Set() })) {
    if (token >= 0) arrived.push(performance.now());
  }
  runner.encodeLayers = encodeLayers;
  return { tokenMs: arrived.slice(1).map((ms, i) => ms - arrived[i]), encodeMs };
}

function means(all: readonly number[]): number[] {
  return Array.from({ length: Math.ceil(all.length / tokensALine) }, (_, line) => {
    const some = all.slice(line * tokensALine, (line + 1) * tokensALine);
    return Number((some.reduce((a, b) => a + b, 0) / some.length).toFixed(3));
  });
}

await read(64);
await decode([]);
for (let round = 0; round < rounds; round++) {
  const tell = ({ tokenMs, encodeMs }: Awaited<ReturnType<typeof decode>>, way: string): void =>
    console.log(JSON.stringify({ bench: 'firstTokens', adapter: device.facts.name, prefillTokens: way === 'short' ? 64 : prefillTokens, round, way, tokenMs: means(tokenMs), encodeMs: means(encodeMs) }));
  await warmUp(device);
  tell(await decode(await read(64)), 'short');
  const prompt = await read(prefillTokens);
  tell(await decode(prompt), 'at-once');
  // The last token is read again, for the logits that decoding begins with.
  sequence.dropTo(prefillTokens - 1);
  await sequence.extend(prompt, {});
  tell(await decode(prompt), 'repeated');
  await read(prefillTokens);
  await sleep(restMs);
  tell(await decode(prompt), 'rested');
}
free();
device.destroy();
process.exit(0);
