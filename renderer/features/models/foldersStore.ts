/** Folders with models, on this drive and on others. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { FolderImport, ModelFolder } from '../../../host/contract/hub.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';

export interface FoldersState {
  folders: ModelFolder[];
  /** What the last folder that was added had in it. */
  added: FolderImport | null;
  load(): Promise<void>;
  add(fileId: string): Promise<void>;
  remove(folderId: string): Promise<void>;
  receive(folderId: string | null): Promise<void>;
}

export function createFoldersStore(caller: HostCaller) {
  return createStore<FoldersState>((set, get) => ({
    folders: [],
    added: null,
    async load() {
      set({ folders: await caller.call('modelFolders.list', {}) });
    },
    async add(fileId) {
      set({ added: await caller.call('modelFolders.add', { fileId }) });
      await get().load();
    },
    async remove(folderId) {
      await caller.call('modelFolders.remove', { folderId });
      set({ added: null });
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
