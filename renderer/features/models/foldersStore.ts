/** Folders with models, on this drive and on others. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { ModelFolder } from '../../../host/contract/hub.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';

export interface FoldersState {
  folders: ModelFolder[];
  load(): Promise<void>;
  remove(folderId: string): Promise<void>;
  receive(folderId: string | null): Promise<void>;
}

export function createFoldersStore(caller: HostCaller) {
  return createStore<FoldersState>((set, get) => ({
    folders: [],
    async load() {
      set({ folders: await caller.call('modelFolders.list', {}) });
    },
    async remove(folderId) {
      await caller.call('modelFolders.remove', { folderId });
      await get().load();
    },
    async receive(folderId) {
      set({ folders: await caller.call('modelFolders.receive', { folderId }) });
    },
  }));
}

export const foldersStore = createFoldersStore(host);

export function useFolders<T>(selector: (state: FoldersState) => T): T {
  return useStore(foldersStore, selector);
}
