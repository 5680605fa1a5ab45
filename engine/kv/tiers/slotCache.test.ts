import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { SlotCache } from './slotCache.ts';

const kvHeads = 3;
const pinnedSlots = 4;
const capacityTokens = 500;

/** Ascending, each once, as a selection gives them. */
function someTokens(random: () => number, count: number): Uint32Array {
  const tokens = new Set<number>();
  while (tokens.size < count) tokens.add(Math.floor(random() * capacityTokens));
  return Uint32Array.from(tokens).sort();
}

describe.each([1, 2, 3])('seed %i', (seed) => {
  test('slots hold what they are said to hold, whatever is wanted, taken and forgotten', () => {
    const random = seededRandom(seed);
    const slots = pinnedSlots + 40;
    const cache = new SlotCache({ kvHeads, slots, pinnedSlots, capacityTokens });
    /** What a GPU would hold: written on a miss, read on any use. */
    const contents = Array.from({ length: kvHeads }, () => new Map<number, number>());
    for (let step = 0; step < 300; step++) {
      cache.begin();
      const kvHead = Math.floor(random() * kvHeads);
      const wanted = someTokens(random, Math.floor(random() * 60));
      const target = new Uint32Array(wanted.length + 2);
      const missed = new Set<number>();
      const assigned = cache.assign(kvHead, wanted, target, 2, (token, slot) => {
        expect(missed.has(token)).toBe(false);
        missed.add(token);
        contents[kvHead].set(slot, token);
      });
      expect(assigned).toBe(Math.min(wanted.length, 40));
      const used = target.subarray(2, 2 + assigned);
      expect(new Set(used).size).toBe(assigned);
      used.forEach((slot, i) => {
        expect(slot).toBeGreaterThanOrEqual(pinnedSlots);
        expect(slot).toBeLessThan(slots);
        expect(contents[kvHead].get(slot)).toBe(wanted[i]);
      });
      if (step % 50 === 49) {
        const firstToken = Math.floor(random() * capacityTokens);
        cache.forgetFrom(firstToken);
        // Positions will hold other text: reading an old vector for them would be wrong.
        for (const held of contents) for (const [slot, token] of held) if (token >= firstToken) held.delete(slot);
      }
    }
  });

  test('what is wanted again and again stays', () => {
    const random = seededRandom(seed);
    const cache = new SlotCache({ kvHeads: 1, slots: pinnedSlots + 40, pinnedSlots, capacityTokens });
    const favourites = Uint32Array.from({ length: 10 }, (_, i) => i);
    let missedFavourites = 0;
    for (let step = 0; step < 100; step++) {
      cache.begin();
      const others = someTokens(random, 10).map((token) => 10 + (token % (capacityTokens - 10)));
      const wanted = Uint32Array.from(new Set([...favourites, ...others])).sort();
      cache.assign(0, wanted, new Uint32Array(wanted.length), 0, (token) => {
        if (token < 10) missedFavourites++;
      });
    }
    expect(missedFavourites).toBe(10);
  });
});

test('a cache without a free slot is refused', () => {
  expect(() => new SlotCache({ kvHeads: 1, slots: 4, pinnedSlots: 4, capacityTokens: 10 })).toThrow('4 slots leave none beside 4 pinned ones');
});
