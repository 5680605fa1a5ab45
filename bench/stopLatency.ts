/**
 * How long a stop takes: from the abort until the job has ended, at random moments while a prompt is
 * read and while an answer is made.
 *
 *     node dist/bench/stopLatency.js --model M.gguf [--count 20] [--tokens 4000] [--limit MS] [--seed N]
 *
 * Prints one JSON line for each phase; exit status 1 when one took longer than --limit.
 */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../engine/formats/quantisation/testing/seededRandom.ts';
import { benchTokens } from '../host/benchTokens.ts';
import { defaultSampling } from '../host/contract/entities.ts';
import { isCancelled } from '../host/errors.ts';
import { generateResult } from '../host/gpu-worker/protocol.ts';
import { workerEntry } from '../host/locations.ts';
import { ModelSession } from '../host/worker/modelSession.ts';
import { WorkerSupervisor } from '../host/worker/supervisor.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    count: { type: 'string', default: '20' },
    tokens: { type: 'string', default: '4000' },
    limit: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});
if (!values.model) throw new Error('--model is needed');
const modelPath = values.model;
const count = Number(values.count);
const promptTokens = Number(values.tokens);
const limitMs = values.limit === undefined ? null : Number(values.limit);
/** Short enough that a software adapter reads it soon. */
const decodePromptTokens = 64;
const random = seededRandom(Number(values.seed));
const supervisor = new WorkerSupervisor({ entry: workerEntry() });
const session = new ModelSession(supervisor);
let vocabularySize = 0;
let tooSlow = false;

await session.use({ id: 'model', path: modelPath, contextTokens: null, boundsChecks: false }, {}, async (model) => {
  vocabularySize = model.vocabularySize;
  for (const phase of ['reading', 'answering'] as const) {
    const tokens = phase === 'reading' ? promptTokens : decodePromptTokens;
    const times: number[] = [];
    for (let i = 0; i < count; i++) times.push(await stopOnce(phase, tokens, i));
    times.sort((a, b) => a - b);
    const [medianMs, maximumMs] = [times[count >> 1], times[count - 1]];
    tooSlow ||= limitMs !== null && maximumMs > limitMs;
    console.log(JSON.stringify({ phase, model: basename(modelPath), adapter: supervisor.status.adapter?.name, promptTokens: tokens, count, medianMs, maximumMs, limitMs }));
  }
});
await supervisor.close();
process.exit(tooSlow ? 1 : 0);

/** Milliseconds from the abort to the end of the job. */
async function stopOnce(phase: 'reading' | 'answering', tokens: number, round: number): Promise<number> {
  const abort = new AbortController();
  // Other tokens each time, so that nothing is reused and there is much left to read.
  const prompt = benchTokens(tokens + round, vocabularySize).slice(round);
  const fraction = 0.05 + 0.9 * random();
  let abortedMs = 0;
  let heard = 0;
  const stop = (): void => {
    if (abortedMs > 0) return;
    abortedMs = performance.now();
    abort.abort();
  };
  try {
    await supervisor.run({ kind: 'generate', prompt: { kind: 'tokens', tokens: prompt }, sampling: { ...defaultSampling, maxTokens: 4000 }, stop: [] }, generateResult, {
      signal: abort.signal,
      onProgress: ({ phase: now, done, total }) => {
        // A random moment after a random progress, not just behind it.
        if (phase === 'reading' && now === 'reading' && done >= fraction * 0.5 * total) setTimeout(stop, random() * 100);
      },
      onToken: () => {
        if (phase === 'answering' && ++heard > fraction * 20) setTimeout(stop, random() * 50);
      },
    });
  } catch (error) {
    if (isCancelled(error) && abortedMs > 0) return performance.now() - abortedMs;
    throw error;
  }
  // It ended before the stop came: there was nothing to stop.
  return stopOnce(phase, tokens, round);
}
