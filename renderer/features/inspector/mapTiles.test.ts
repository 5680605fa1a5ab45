import { expect, test, vi } from 'vitest';
import type { HostCaller } from '../../app/connection/session.ts';
import { levelFor, MapTiles, placesFor } from './mapTiles.ts';

const base64 = (count: number): string => btoa('\0'.repeat(4 * count));

/** Answers tiles of zeros when it is told to. */
function scripted() {
  const asked: { keys: { from: number; to: number; perBucket: number }; answer: () => void; fail: (code: string) => void }[] = [];
  const cancelled = vi.fn();
  const call = (method: string, params: unknown): Promise<unknown> => {
    if (method === 'inspector.cancel') return Promise.resolve(cancelled());
    const { keys } = params as { keys: { from: number; to: number; perBucket: number } };
    return new Promise((resolve, reject) => {
      const columns = Math.ceil((keys.to - keys.from) / keys.perBucket);
      asked.push({ keys, answer: () => resolve({ rows: 3, columns, heads: 2, sums: base64(3 * columns), peaks: base64(3 * columns), peakKeys: base64(3 * columns), cached: false }), fail: (code) => reject({ failure: { code } }) });
    });
  };
  return { caller: { call } as unknown as HostCaller, asked, cancelled };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

test('a level has columns wide enough to see', () => {
  expect([levelFor(100, 800), levelFor(6000, 1000), levelFor(131_072, 1024)]).toEqual([0, 4, 8]);
});

test('what is in sight is asked for from the middle, two at a time, and ends where the prompt does', async () => {
  const { caller, asked } = scripted();
  const changed = vi.fn();
  const tiles = new MapTiles(caller, { messageId: 'm', heads: 'retrieval', extent: { rows: 3, keys: 1000 } }, changed);
  tiles.want(placesFor(0, { fromKey: 0, toKey: 1000 }, 3));
  expect(asked.map(({ keys }) => keys.from)).toEqual([256, 512]);
  expect(tiles.pending).toBe(4);
  asked[0].answer();
  await settle();
  expect(tiles.find({ level: 0, x: 1, y: 0 })?.columns).toBe(256);
  asked[1].answer();
  await settle();
  expect(asked.map(({ keys }) => [keys.from, keys.to]).slice(2).sort()).toEqual([[0, 256], [768, 1000]]);
  expect(changed).toHaveBeenCalledTimes(2);
});

test('what is not in sight any more is cancelled, and asked for again when it comes back', async () => {
  const { caller, asked, cancelled } = scripted();
  const tiles = new MapTiles(caller, { messageId: 'm', heads: 'retrieval', extent: { rows: 3, keys: 100_000 } }, () => undefined);
  tiles.want([{ level: 0, x: 1, y: 0 }]);
  tiles.want([{ level: 0, x: 90, y: 0 }]);
  expect(cancelled).toHaveBeenCalledOnce();
  asked[0].fail('cancelled');
  await settle();
  expect(tiles.failure).toBeNull();
  tiles.want([{ level: 0, x: 1, y: 0 }]);
  asked[1].fail('internal');
  await settle();
  expect(tiles.failure).not.toBeNull();
  expect(asked.at(-1)?.keys.from).toBe(256);
});

test('a map that is taken away and put back asks again for what was cancelled in between', async () => {
  const { caller, asked } = scripted();
  const tiles = new MapTiles(caller, { messageId: 'm', heads: 'retrieval', extent: { rows: 3, keys: 200 } }, () => undefined);
  const places = placesFor(0, { fromKey: 0, toKey: 200 }, 3);
  tiles.want(places);
  tiles.close();
  tiles.want(places);
  asked[0].fail('cancelled');
  await settle();
  expect(asked).toHaveLength(2);
  asked[1].answer();
  await settle();
  expect(tiles.find(places[0])?.columns).toBe(200);
  expect([tiles.pending, tiles.failure]).toEqual([0, null]);
});

test('a walk of 2,000 moves leaves no more tiles than there is room for', async () => {
  const { caller, asked } = scripted();
  const tiles = new MapTiles(caller, { messageId: 'm', heads: 'all', extent: { rows: 3, keys: 131_072 } }, () => undefined);
  let key = 0;
  for (let move = 0; move < 2000; move++) {
    key = (key * 7919 + 104_729) % 131_072;
    tiles.want(placesFor(move % 6, { fromKey: key, toKey: Math.min(131_072, key + 256 * 2 ** (move % 6)) }, 3));
    for (const request of asked.splice(0)) request.answer();
    await Promise.resolve();
  }
  await settle();
  expect(tiles.size).toBeLessThanOrEqual(96);
});
