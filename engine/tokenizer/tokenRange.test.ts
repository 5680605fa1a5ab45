import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTokenizer } from './createTokenizer.ts';
import { byteLevelMetadata } from './testing/testModels.ts';
import { tokenRange } from './tokenRange.ts';

const tokenizer = createTokenizer(byteLevelMetadata({ merges: ['t h', 'th e', 'Ġ the', 'a b'] }));

it('gives the fewest tokens that hold the characters, whatever the text', () => {
  const text = fc.array(fc.constantFrom('the', ' the', 'ab', 'é', '😀', '\n', 'x'), { minLength: 1, maxLength: 20 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(), (whole, a, b) => {
      // Halves of a character cannot be asked for.
      const edges = [...whole].reduce<number[]>((found, character) => [...found, found[found.length - 1] + character.length], [0]);
      const [start, end] = [edges[a % edges.length], edges[b % edges.length]].sort((x, y) => x - y);
      const { tokens, starts } = tokenizer.encodeWithOffsets(whole);
      const range = tokenRange(starts, start, end);
      if (start === end) {
        expect(range.start).toBe(range.end);
        return;
      }
      expect(tokenizer.decode(tokens.slice(range.start, range.end))).toContain(whole.slice(start, end));
      // One token less on either side leaves a character out.
      expect(starts[range.start]).toBeLessThanOrEqual(start);
      expect(starts[range.end - 1]).toBeLessThan(end);
      const next = starts.find((each) => each > starts[range.start]);
      if (next !== undefined) expect(next).toBeGreaterThan(start);
    }),
  );
});
