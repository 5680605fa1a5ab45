import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logprobsOf } from './logprobs.ts';

const logitsOf = fc.array(fc.double({ min: -40, max: 40, noNaN: true }), { minLength: 1, maxLength: 60 }).map((values) => Float32Array.from(values, (value) => Math.round(value)));

test('log probabilities are those of a softmax, the likeliest first, equals by id', () => {
  fc.assert(
    fc.property(logitsOf, fc.nat(), fc.integer({ min: 0, max: 20 }), (logits, any, count) => {
      const token = any % logits.length;
      const { logprob, top } = logprobsOf(logits, token, count);
      const probabilities = [...logits].map((logit) => 1 / [...logits].reduce((sum, other) => sum + Math.exp(other - logit), 0));
      expect(Math.exp(logprob)).toBeCloseTo(probabilities[token], 6);
      const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b).slice(0, count);
      expect(top.map((entry) => entry.token)).toEqual(order);
      for (const entry of top) expect(Math.exp(entry.logprob)).toBeCloseTo(probabilities[entry.token], 6);
    }),
  );
});
