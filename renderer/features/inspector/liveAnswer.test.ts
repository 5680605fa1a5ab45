import { expect, test } from 'vitest';
import type { LiveRows, LiveView } from '../../../host/contract/liveAttention.ts';
import { scriptedHost, settled } from '../../testing/scriptedHost.ts';
import { joined, type LiveAnswer, liveProfile, liveZones } from './liveAnswer.ts';
import { createLiveStore } from './liveStore.ts';

const view: LiveView = {
  promptTokens: 100,
  heads: [{ layer: 0, head: 1 }],
  groups: [
    { name: 'Layers 1–3', kind: 'full', layers: [0, 1, 2], heads: 2 },
    { name: 'Layer 4', kind: 'full', layers: [3], heads: 1 },
  ],
  documents: [{ documentId: 'a', name: 'A', firstToken: 20, tokens: 12, blockTokens: 4, blockStarts: [0, 10, 20, 30] }],
};
const base64 = (shares: number[]): string => btoa(String.fromCharCode(...new Uint8Array(Uint16Array.from(shares, (share) => Math.round(65_535 * share)).buffer)));
const zones = (document: number) => ({ sinks: 1 - document, recent: 0, document, other: 0 });

/** Tokens that all look at one block. */
function rows(first: number, count: number, block: number, document = 0.4): LiveRows {
  const shares = Array.from({ length: count }, () => [0, 1, 2].map((one) => (one === block ? 0.5 : 0))).flat();
  return { first, zones: Array.from({ length: count }, () => [zones(document), zones(0)]), blocks: [base64(shares)] };
}

const rounded = (profile: Float64Array): number[] => [...profile].map((share) => Math.round(100 * share) / 100);

test('the ribbon follows the latest tokens, and the whole is the mean of all', () => {
  let live = joined(undefined, view, rows(0, 8, 0)) as LiveAnswer;
  expect(rounded(liveProfile(live, 0, 'latest'))).toEqual([0.5, 0, 0]);
  live = joined(live, null, rows(8, 8, 2)) as LiveAnswer;
  expect(rounded(liveProfile(live, 0, 'latest'))).toEqual([0, 0, 0.5]);
  expect(rounded(liveProfile(live, 0, 'all'))).toEqual([0.25, 0, 0.25]);
});

test('tokens that are told of again count once, and what begins behind a gap waits for the whole', () => {
  const live = joined(joined(undefined, view, rows(0, 4, 0)), null, rows(3, 2, 1)) as LiveAnswer;
  expect(live.zones.length).toBe(5);
  expect(rounded(liveProfile(live, 0, 'all'))).toEqual([0.3, 0.2, 0]);
  expect(joined(live, null, rows(9, 1, 1))).toBe(live);
  expect(joined(undefined, null, rows(0, 1, 1))).toBeUndefined();
});

test('groups count as often as they have layers', () => {
  const live = joined(undefined, view, rows(0, 2, 0, 0.8)) as LiveAnswer;
  expect(liveZones(live, 'all').document).toBeCloseTo(0.6);
  expect(liveZones(live, 'all').sinks).toBeCloseTo(0.4);
});

test('a window that opens in the middle of an answer asks for what was told, and then hears the rest', async () => {
  const caller = scriptedHost({ 'inspector.live': () => ({ view, rows: rows(0, 8, 0) }) });
  const store = createLiveStore(caller);
  caller.send('answer.attention', { messageId: 'm', view: null, rows: rows(6, 2, 0) });
  await settled();
  expect(store.getState().known['m']?.zones.length).toBe(8);
  caller.send('answer.attention', { messageId: 'm', view: null, rows: rows(8, 3, 1) });
  expect(store.getState().known['m']?.zones.length).toBe(11);
  expect(caller.calls.length).toBe(1);
});
