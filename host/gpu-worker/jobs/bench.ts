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
  let made = 0;
  let firstMs = 0;
  for await (const token of generateTokens(context.device, runner, sequence, model.sampler, {
    maxTokens: request.decodeTokens + 1,
    endTokens: new Set(),
    signal: context.signal,
  })) {
    if (made === 0) firstMs = performance.now();
    if (token >= 0) made++;
  }
  const decodeMs = performance.now() - firstMs;
  return {
    prefillTokens,
    prefillTokensPerSecond: (1000 * prefillTokens) / prefillMs,
    decodeTokens: made - 1,
    decodeTokensPerSecond: (1000 * (made - 1)) / decodeMs,
  };
}
