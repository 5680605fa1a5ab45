import { describe, expect, test } from 'vitest';
import type { ModelSpec } from '../../../engine/models/spec.ts';
import { chooseWatchedHeads } from './watchedHeads.ts';

/** Sixteen layers that see everything, of eight heads of 64 dimensions. */
const spec = { blocks: Array.from({ length: 16 }, () => ({ mixer: { kind: 'full', heads: 8, kvHeads: 2, headDim: 64, windowTokens: null } })) } as unknown as ModelSpec;
const ranked = [5, 5, 9, 12, 2, 14, 7].map((layer, head) => ({ layer, head }));
const layersOf = (heads: readonly { layer: number }[] = []): number[] => [...new Set(heads.map(({ layer }) => layer))];
const keys = 4000;
const headFlops = 2 * 64 * keys * 8;

describe('heads that are watched', () => {
  test('are all that fetch, and one of each group of layers without one, where that takes next to no time', () => {
    const watched = chooseWatchedHeads(spec, ranked, { keys, step: { flops: Infinity, dispatches: Infinity } });
    expect(watched?.fetching).toEqual(ranked.slice(0, 6));
    expect(watched?.all).toEqual(expect.arrayContaining(ranked.slice(0, 6)));
  });

  test('are as many as take 3 % of a step’s arithmetic, but one', () => {
    for (const [shares, count] of [[0.5, 1], [2.5, 2], [4.5, 4]]) {
      const watched = chooseWatchedHeads(spec, ranked, { keys, step: { flops: (shares * headFlops) / 0.03, dispatches: Infinity } });
      expect(watched?.all.length).toBe(count);
      expect(watched?.all[0]).toEqual(ranked[0]);
    }
  });

  test('lie in as many layers as are 3 % of a step’s dispatches, but one', () => {
    for (const [dispatches, layers] of [[10, 1], [100, 3], [134, 4]]) {
      const watched = chooseWatchedHeads(spec, ranked, { keys, step: { flops: Infinity, dispatches } });
      expect(layersOf(watched?.all).length).toBe(layers);
      // A second one in a layer is no dispatch more.
      expect(watched?.all.filter(({ layer }) => layer === 5)).toEqual(ranked.slice(0, 2));
      expect(watched?.fetching).toEqual(ranked.slice(0, 6).filter((head) => watched?.all.includes(head)));
    }
  });

  test('are none of a model without attention', () => {
    const recurrent = { blocks: [{ mixer: { kind: 'linear' } }] } as unknown as ModelSpec;
    expect(chooseWatchedHeads(recurrent, [], { keys, step: { flops: 1, dispatches: 1 } })).toBeNull();
  });
});
