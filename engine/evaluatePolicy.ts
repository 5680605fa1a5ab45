/** The distributions of a given continuation, and how far those of a policy are from the truth. */
import type { Readback } from './device/readback.ts';
import type { LoadedModel } from './model.ts';

/** Over the vocabulary. */
export interface Distribution {
  probabilities: Float32Array;
  logProbabilities: Float32Array;
  mostLikely: number;
}

/**
 * The logits after the prefix and after each of the continuation's tokens but the last: one array of vocabulary size for
 * each token of the continuation. The prefix is read exactly; the continuation as decoding does, by the current policy.
 */
export async function continuationLogits(model: LoadedModel, readback: Readback, prefix: readonly number[], continuation: readonly number[], signal?: AbortSignal): Promise<Float32Array[]> {
  const { sequence, runner, spec } = model;
  const results: Float32Array[] = [];
  // The last token of the prefix is decoded, not read: the first answer token already follows the policy.
  const stream = [...prefix];
  await sequence.extend(stream.slice(0, -1), { signal });
  for (const token of continuation) {
    await sequence.extend(stream, { asDecoding: true, signal });
    results.push(await readback.floats(runner.logits, 0, spec.vocabularySize));
    stream.push(token);
  }
  return results;
}

export function distributionOf(logits: Float32Array): Distribution {
  const logSum = logSumExp(logits);
  const logProbabilities = logits.map((value) => value - logSum);
  return { probabilities: logProbabilities.map(Math.exp), logProbabilities, mostLikely: mostLikely(logits) };
}

/** KL(truth ‖ softmax(logits)) in nats. */
export function divergence({ probabilities, logProbabilities }: Distribution, logits: Float32Array): number {
  let sum = 0;
  let mass = 0;
  for (let i = 0; i < logits.length; i++) {
    sum += probabilities[i] * (logProbabilities[i] - logits[i]);
    mass += probabilities[i];
  }
  return sum + mass * logSumExp(logits);
}

/** The first of the largest. */
export function mostLikely(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

function logSumExp(logits: Float32Array): number {
  const maximum = logits[mostLikely(logits)];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - maximum);
  return maximum + Math.log(sum);
}
