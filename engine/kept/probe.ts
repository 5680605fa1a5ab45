/**
 * What the model said after a kept sequence, so that a reader can see whether it still does: kernels, drivers and
 * adapters change, and keys of another arithmetic give plausible wrong answers.
 */
import { mostLikely } from '../evaluatePolicy.ts';

/** The largest logits after the last token of a segment: (id as f32, logit) each. */
export const probePart = 'probe';
const probedTokens = 16;

export function makeProbe(logits: Float32Array): Uint8Array {
  const left = logits.slice();
  const probe = new Float32Array(2 * probedTokens);
  for (let i = 0; i < probedTokens; i++) {
    const id = mostLikely(left);
    probe.set([id, logits[id]], 2 * i);
    left[id] = -Infinity;
  }
  return new Uint8Array(probe.buffer);
}

/** The largest difference between what was said and what is said now. */
export function probeDifference(probe: Uint8Array, logits: Float32Array): number {
  const said = new Float32Array(probe.slice().buffer);
  let largest = 0;
  for (let i = 0; i < said.length; i += 2) {
    const now = logits.at(said[i]);
    largest = Math.max(largest, now === undefined || Number.isNaN(now) ? Infinity : Math.abs(now - said[i + 1]));
  }
  return largest;
}

/** Steps of one row and chunks of many round differently; keys and values in halves let that grow. */
export function probeTolerance(format: 'f32' | 'f16'): number {
  return format === 'f32' ? 0.02 : 0.2;
}
