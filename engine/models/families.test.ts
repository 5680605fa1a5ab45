/**
 * Every family's description and the CPU reference against transformers, on tiny models with random weights
 * (`engine/testdata/families/make.py`).
 */
import { describe, expect, test } from 'vitest';
import { readGguf } from '../formats/gguf/readGguf.ts';
import { referenceForward } from '../reference/forward.ts';
import { compareLogits, familyCases, familyNames, openFamily } from '../testing/familyGoldens.ts';
import { referenceWeights } from '../testing/referenceWeights.ts';
import { describeModel } from './registry.ts';

describe.each(familyNames)('%s', (name) => {
  test.each(familyCases(name))('the reference gives the logits of transformers in a context of $contextTokens', async (golden) => {
    const file = await readGguf(openFamily(name), {});
    const spec = describeModel(file);
    const logits = referenceForward(spec, await referenceWeights(file), golden.tokens, golden.contextTokens);
    for (const [i, position] of golden.positions.entries()) {
      const expected = golden.logits.subarray(i * spec.vocabularySize, (i + 1) * spec.vocabularySize);
      const { difference, sameTop } = compareLogits(logits[position], expected);
      expect(difference, `position ${position}`).toBeLessThan(1e-3);
      expect(sameTop, `position ${position}`).toBe(true);
    }
  });
});
