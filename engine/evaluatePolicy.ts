/** The distributions of a given continuation under a policy, and how far they are from the truth. */
import type { Readback } from './device/readback.ts';
import type { LoadedModel } from './model.ts';

/**
 * log p(·) after the prefix and after each of the continuation's tokens but the last: one array of vocabulary size for
 * each token of the continuation. The prefix is read exactly; the continuation as decoding does, by the current policy.
 */
export async function continuationLogProbabilities(model: LoadedModel, readback: Readback, prefix: readonly number[], continuation: readonly number[], signal?: AbortSignal): Promise<Float32Array[]> {
  const { sequence, runner, spec } = model;
  const results: Float32Array[] = [];
  // The last token of the prefix is decoded, not read: the first answer token already follows the policy.
  const stream = [...prefix];
  await sequence.extend(stream.slice(0, -1), { signal });
  for (const token of continuation) {
    await sequence.extend(stream, { asDecoding: true, signal });
    results.push(logSoftmax(await readback.floats(runner.logits, 0, spec.vocabularySize)));
    stream.push(token);
  }
  return results;
}

export function logSoftmax(logits: Float32Array): Float32Array {
  let maximum = -Infinity;
  for (const value of logits) if (value > maximum) maximum = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - maximum);
  const logSum = maximum + Math.log(sum);
  return logits.map((value) => value - logSum);
}

/** KL(truth ‖ other) in nats. */
export function divergence(truth: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < truth.length; i++) if (truth[i] > -60) sum += Math.exp(truth[i]) * (truth[i] - other[i]);
  return sum;
}

export function mostLikely(logProbabilities: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logProbabilities.length; i++) if (logProbabilities[i] > logProbabilities[best]) best = i;
  return best;
}
