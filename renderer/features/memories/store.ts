/** What was read and is kept, and how much room it has. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Failure, MemoryRecord, MemoryUsage } from '../../../host/contract/entities.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';
import { failureOf } from '../../app/failures.ts';

export interface MemoriesState {
  /** null until they were asked for. */
  memories: MemoryRecord[] | null;
  usage: MemoryUsage | null;
  /** Why they cannot be shown. */
  failure: Failure | null;
  /** Never rejects: what goes wrong is kept in `failure`. */
  load(): Promise<void>;
  /** Loads them unless somebody has asked for them before. */
  ensureLoaded(): Promise<void>;
  remove(memoryId: string): Promise<void>;
  /** null: no limit. */
  setQuota(quotaBytes: number | null): Promise<void>;
}

export function createMemoriesStore(caller: HostCaller) {
  let asked: Promise<void> | null = null;
  const store = createStore<MemoriesState>((set, get) => ({
    memories: null,
    usage: null,
    failure: null,
    async load() {
      try {
        const [memories, usage] = await Promise.all([caller.call('memories.list', {}), caller.call('memories.quota', {})]);
        set({ memories, usage, failure: null });
      } catch (error) {
        set({ failure: failureOf(error) });
      }
    },
    ensureLoaded: () => (asked ??= get().load()),
    async remove(memoryId) {
      await caller.call('memories.remove', { memoryId });
      await get().load();
    },
    async setQuota(quotaBytes) {
      set({ usage: await caller.call('memories.quota', { quotaBytes }) });
    },
  }));
  caller.on('memories.changed', () => {
    const { memories, load } = store.getState();
    // Nobody looks at them: they are asked for when somebody does.
    if (memories) void load();
  });
  return store;
}

export const memoriesStore = createMemoriesStore(host);

export function useMemories<T>(selector: (state: MemoriesState) => T): T {
  return useStore(memoriesStore, selector);
}
