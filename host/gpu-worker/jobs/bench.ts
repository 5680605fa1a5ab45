/** Speed of the loaded model: prefill and decode in tokens a second. */
import { generateTokens } from '../../../engine/generate.ts';
import { warmUp } from '../../../engine/measure/warmUp.ts';
import { greedySettings } from '../../../engine/sampling/settings.ts';
import type { ActiveModel } from '../activeModel.ts';
import { benchTokens } from '../../benchTokens.ts';
import type { JobContext } from '../gpuWorker.ts';
import type { BenchResult } from '../protocol.ts';

export async function bench(model: ActiveModel, request: { prefillTokens: number; decodeTokens: number }, context: JobContext): Promise<BenchResult> {
  const { runner, sequence, spec } = model.loaded;
  const prefillTokens = Math.min(request.prefillTokens, model.loaded.contextTokens - request.decodeTokens - 1);
  const tokens = benchTokens(prefillTokens, spec.vocabularySize);
  // Once to warm up: the first pass compiles and clears buffers, and an idle GPU has its clocks down.
  await warmUp(context.device);
  sequence.clear();
  await sequence.extend(tokens.slice(0, Math.min(64, prefillTokens)), { signal: context.signal });
  sequence.clear();
  const prefillStarted = performance.now();
  await sequence.extend(tokens, { sparseBefore: tokens.length, signal: context.signal, onProgress: (done, total) => context.progress('measuring', done, total) });
  const prefillMs = performance.now() - prefillStarted;

  model.sampler.begin(greedySettings, tokens);
  const arrivedMs: number[] = [];
  for await (const token of generateTokens(context.device, runner, sequence, model.sampler, {
    maxTokens: request.decodeTokens + 1,
    endTokens: new Set(),
    signal: context.signal,
  })) {
    if (token >= 0) arrivedMs.push(performance.now());
  }
  // The first token was chosen from what reading left.
  const decodeTokens = arrivedMs.length - 1;
  const quarters = Array.from({ length: 5 }, (_, quarter) => Math.round((quarter * decodeTokens) / 4));
  return {
    prefillTokens,
    prefillTokensPerSecond: (1000 * prefillTokens) / prefillMs,
    decodeTokens,
    decodeTokensPerSecond: (1000 * decodeTokens) / (arrivedMs[decodeTokens] - arrivedMs[0]),
    quarterTokenMs: quarters.slice(1).map((end, i) => (arrivedMs[end] - arrivedMs[quarters[i]]) / Math.max(1, end - quarters[i])),
  };
}
