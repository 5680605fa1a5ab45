/** What everything takes on the disk. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Failure } from '../../../host/contract/entities.ts';
import type { StorageUsage } from '../../../host/contract/hub.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';
import { failureOf } from '../../app/failures.ts';

export interface StorageState {
  usage: StorageUsage | null;
  failure: Failure | null;
  /** Never rejects: what goes wrong is kept in `failure`. */
  load(): Promise<void>;
}

export function createStorageStore(caller: HostCaller) {
  return createStore<StorageState>((set) => ({
    usage: null,
    failure: null,
    async load() {
      try {
        set({ usage: await caller.call('storage.usage', {}), failure: null });
      } catch (error) {
        set({ failure: failureOf(error) });
      }
    },
  }));
}

export const storageStore = createStorageStore(host);

export function useStorage<T>(selector: (state: StorageState) => T): T {
  return useStore(storageStore, selector);
}
