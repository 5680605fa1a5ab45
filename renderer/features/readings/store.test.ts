import { describe, expect, it } from 'vitest';
import type { MemoryRecord, Reading } from '../../../host/contract/entities.ts';
import { scriptedHost, settled } from '../../testing/scriptedHost.ts';
import { readingDetails, readingFraction, readingPercent, readingStatus } from './readingText.ts';
import { createReadingsStore, foremost, readingOf } from './store.ts';
import { keptMemory } from './useDocumentReading.ts';

const reading: Reading = {
  id: 'r1', documentId: 'd1', modelId: 'm1', state: 'reading', doneTokens: 1500, totalTokens: 6000, tokensPerSecond: 100, secondsLeft: 45, failure: null,
};

async function openedStore() {
  const host = scriptedHost({ 'readings.list': () => [reading], 'readings.start': () => ({ ...reading, state: 'queued' }), 'readings.pause': () => ({ ...reading, state: 'paused' }), 'readings.cancel': () => ({}) });
  const store = createReadingsStore(host);
  host.open();
  await settled();
  return { host, store };
}

describe('the readings store', () => {
  it('knows what was under way before the window was opened, and follows it', async () => {
    const { host, store } = await openedStore();
    expect(store.getState().readings).toEqual([reading]);
    const further = { ...reading, doneTokens: 2000 };
    host.send('readings.changed', further);
    expect(store.getState()).toMatchObject({ readings: [further], changedId: null });
    host.send('readings.changed', { ...further, state: 'done' });
    expect(store.getState().changedId).toBe('r1');
    host.send('readings.removed', { readingId: 'r1' });
    expect(store.getState().readings).toEqual([]);
  });

  it('starts, pauses and cancels', async () => {
    const { host, store } = await openedStore();
    await store.getState().pause('r1');
    expect(store.getState().readings[0].state).toBe('paused');
    await store.getState().start('d1', 'm1');
    expect(store.getState().readings).toMatchObject([{ id: 'r1', state: 'queued' }]);
    await store.getState().cancel('r1');
    expect(host.calls.slice(1)).toEqual([
      { method: 'readings.pause', params: { readingId: 'r1' } },
      { method: 'readings.start', params: { documentId: 'd1', modelId: 'm1' } },
      { method: 'readings.cancel', params: { readingId: 'r1' } },
    ]);
  });

  it('puts first what is read now, then what needs the person', () => {
    const of = (id: string, state: Reading['state']) => ({ ...reading, id, state });
    expect(foremost([of('a', 'queued'), of('b', 'reading'), of('c', 'failed')])?.id).toBe('b');
    expect(foremost([of('a', 'paused'), of('c', 'failed'), of('d', 'done')])?.id).toBe('c');
    expect(foremost([of('d', 'done')])).toBeNull();
    expect(readingOf([reading], 'd1', 'm1')).toBe(reading);
    expect(readingOf([reading], 'd1', 'm2')).toBeNull();
  });
});

describe('a reading in words', () => {
  it('says how far, how fast and how long yet', () => {
    expect(readingDetails(reading)).toEqual(['1,500 of 6,000 tokens', '100 tokens/s', 'about 45 s left']);
    expect(readingDetails({ ...reading, state: 'paused', tokensPerSecond: null, secondsLeft: null })).toEqual(['1,500 of 6,000 tokens']);
    expect(readingDetails({ ...reading, state: 'queued', doneTokens: 0 })).toEqual([]);
    expect(readingDetails({ ...reading, state: 'queued' })).toEqual(['1,500 of 6,000 tokens', 'answers go first']);
  });

  it('never claims to be over before it is', () => {
    expect(readingPercent({ ...reading, doneTokens: 6000 })).toBe(99);
    expect(readingPercent({ ...reading, doneTokens: 6000, state: 'done' })).toBe(100);
    expect(readingFraction(reading)).toBe(0.25);
    expect(readingFraction({ ...reading, state: 'loading' })).toBeNull();
    expect(readingFraction({ ...reading, state: 'paused', doneTokens: 0, totalTokens: 0 })).toBe(0);
    expect(readingStatus(reading, 'Alice.txt')).toBe('Reading Alice.txt, 25 %');
    expect(readingStatus({ ...reading, state: 'paused' }, 'Alice.txt')).toBe('Reading of Alice.txt paused');
  });
});

describe('what is kept of a document', () => {
  const memory: MemoryRecord = {
    id: 'a'.repeat(64), users: [{ kind: 'document', id: 'd1', name: 'Alice.txt' }], modelName: 'Small', tokens: 6000, sparseReading: null, bytes: 1, freedBytes: 1, createdAtMs: 1, lastUsedAtMs: 2, state: 'ready',
  };
  const kept = (change: Partial<MemoryRecord>, modelName = 'Small') => keptMemory([{ ...memory, ...change }], 'd1', modelName) !== null;

  it('counts when this model has read this document to its end, and it is sound', () => {
    expect(kept({})).toBe(true);
    expect(kept({}, 'Large')).toBe(false);
    expect(kept({ users: [{ kind: 'document', id: 'd2', name: 'Other.txt' }] })).toBe(false);
    expect(kept({ users: [{ kind: 'reading', id: 'd1', name: 'Alice.txt' }], state: 'reading' })).toBe(false);
    expect(kept({ state: 'damaged' })).toBe(false);
  });
});
