/** What the host says about itself: version, settings, GPU worker, machine. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { type MachineReport, type Settings, type WorkerStatus, defaultSettings } from '../../../host/contract/entities.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';

export interface SettingsState {
  /** False until the host has said what it is. */
  known: boolean;
  version: string;
  firstRun: boolean;
  settings: Settings;
  worker: WorkerStatus;
  machine: MachineReport | null;
  /** Shows the change at once; the host's answer, or its refusal, has the last word. */
  update(change: Partial<Settings>): Promise<void>;
  restartWorker(): Promise<void>;
  loadMachine(): Promise<void>;
}

const noWorker: WorkerStatus = { state: 'starting', adapter: null, memory: null, loadedModelId: null, loading: null, failure: null };

export function createSettingsStore(caller: HostCaller) {
  const store = createStore<SettingsState>((set, get) => ({
    known: false,
    version: '',
    firstRun: false,
    settings: defaultSettings,
    worker: noWorker,
    machine: null,
    async update(change) {
      const before = get().settings;
      set({ settings: { ...before, ...change } });
      try {
        set({ settings: await caller.call('settings.update', change) });
      } catch (error) {
        set({ settings: before });
        throw error;
      }
    },
    async restartWorker() {
      await caller.call('worker.restart', {});
    },
    async loadMachine() {
      set({ machine: await caller.call('app.machine', {}) });
    },
  }));
  caller.on('settings.changed', (settings) => store.setState({ settings }));
  caller.on('worker.status', (worker) => store.setState({ worker }));
  caller.onOpen(() => {
    void caller.call('app.status', {}).then(
      (status) => store.setState({ known: true, ...status }),
      () => undefined,
    );
  });
  return store;
}

export const settingsStore = createSettingsStore(host);

export function useSettings<T>(selector: (state: SettingsState) => T): T {
  return useStore(settingsStore, selector);
}
