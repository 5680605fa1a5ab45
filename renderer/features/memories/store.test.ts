import { describe, expect, it } from 'vitest';
import { ContractError } from '../../../host/contract/client.ts';
import type { MemoryRecord } from '../../../host/contract/entities.ts';
import { sampleFailure, scriptedHost, settled } from '../../testing/scriptedHost.ts';
import { deletionText, memoryChats, memoryTitle } from './memoryText.ts';
import { createMemoriesStore } from './store.ts';

const memory: MemoryRecord = {
  id: 'a'.repeat(64), users: [{ kind: 'document', id: 'd1', name: 'Alice.txt' }], modelName: 'Small', tokens: 6000, sparseReading: null, bytes: 3_000_000_000, freedBytes: 3_000_000_000,
  createdAtMs: 1, lastUsedAtMs: 2, state: 'ready',
};
const usage = { usedBytes: 3_000_000_000, quotaBytes: null, freeBytes: 1e9 };

describe('the memories store', () => {
  it('asks when it is told to, and again when something changed', async () => {
    const host = scriptedHost({ 'memories.list': () => [memory], 'memories.quota': () => usage });
    const store = createMemoriesStore(host);
    host.send('memories.changed', {});
    await settled();
    expect(host.calls).toEqual([]);
    await store.getState().load();
    expect(store.getState()).toMatchObject({ memories: [memory], usage, failure: null });
    host.answers['memories.list'] = () => [];
    host.send('memories.changed', {});
    await settled();
    expect(store.getState().memories).toEqual([]);
  });

  it('keeps the reason why it cannot show them, until it can', async () => {
    const host = scriptedHost({ 'memories.list': () => Promise.reject(new ContractError(sampleFailure)), 'memories.quota': () => usage });
    const store = createMemoriesStore(host);
    await store.getState().load();
    expect(store.getState()).toMatchObject({ memories: null, failure: sampleFailure });
    host.answers['memories.list'] = () => [memory];
    await store.getState().load();
    expect(store.getState()).toMatchObject({ memories: [memory], failure: null });
  });

  it('deletes, and sets the limit', async () => {
    const host = scriptedHost({
      'memories.list': () => [],
      'memories.quota': ({ quotaBytes = null }) => ({ ...usage, quotaBytes }),
      'memories.remove': () => ({ freedBytes: 5 }),
    });
    const store = createMemoriesStore(host);
    await store.getState().remove(memory.id);
    expect(host.calls[0]).toEqual({ method: 'memories.remove', params: { memoryId: memory.id } });
    expect(store.getState().memories).toEqual([]);
    await store.getState().setQuota(5e9);
    expect(store.getState().usage?.quotaBytes).toBe(5e9);
    host.answers['memories.remove'] = () => Promise.reject(new ContractError(sampleFailure));
    await expect(store.getState().remove(memory.id)).rejects.toThrow('It failed.');
  });
});

describe('a memory in words', () => {
  it('is called after its documents, or after the chat that alone holds it', () => {
    const document = { kind: 'document' as const, id: 'd1', name: 'Alice.txt' };
    const chat = { kind: 'conversation' as const, id: 'c1', name: 'The jar' };
    expect([memoryTitle({ users: [document, chat] }), memoryChats({ users: [document, chat] })]).toEqual(['Alice.txt', ['Chat: The jar']]);
    expect([memoryTitle({ users: [chat] }), memoryChats({ users: [chat] })]).toEqual(['Chat: The jar', []]);
    expect(memoryTitle({ users: [document, { kind: 'reading', id: 'd1', name: 'Alice.txt' }] })).toBe('Alice.txt');
    expect(memoryTitle({ users: [{ kind: 'document', id: 'gone', name: null }] })).toBe('A document that is no longer here');
    expect(memoryTitle({ users: [] })).toBe('A document that is no longer here');
  });

  it('says what deleting it would free, and what would stay', () => {
    expect(deletionText(memory)).toBe('This frees 3.0 GB. Documents and chats stay; to be asked about again, it has to be read again.');
    expect(deletionText({ ...memory, freedBytes: 1e9 })).toBe('This frees 1.0 GB; 2.0 GB stay, because other memories need them. Documents and chats stay, too.');
    expect(deletionText({ ...memory, freedBytes: 0 })).toContain('frees nothing yet: all of its 3.0 GB');
  });
});
