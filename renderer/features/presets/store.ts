/** The presets as the host has them. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Preset } from '../../../host/contract/chatEntities.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';

export interface PresetsState {
  presets: Preset[];
  save(preset: Omit<Preset, 'id'> & { id?: string }): Promise<Preset>;
  remove(presetId: string): Promise<void>;
}

export function createPresetsStore(caller: HostCaller) {
  const store = createStore<PresetsState>(() => ({
    presets: [],
    save: (preset) => caller.call('presets.save', preset),
    async remove(presetId) {
      await caller.call('presets.remove', { presetId });
    },
  }));
  caller.on('presets.changed', (presets) => store.setState({ presets }));
  caller.onOpen(() => {
    void caller.call('presets.list', {}).then(
      (presets) => store.setState({ presets }),
      () => undefined,
    );
  });
  return store;
}

export const presetsStore = createPresetsStore(host);

export function usePresets<T>(selector: (state: PresetsState) => T): T {
  return useStore(presetsStore, selector);
}
