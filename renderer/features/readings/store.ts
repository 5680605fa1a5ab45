/** Documents that are being read, wait for it, or were not read to their end. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Reading } from '../../../host/contract/entities.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';

export interface ReadingsState {
  /** In the order in which they were asked for; those read since the start come last. */
  readings: readonly Reading[];
  /** Whose state changed last, for those who hear the screen. */
  changedId: string | null;
  /** Also goes on with one that was paused or failed. */
  start(documentId: string, modelId: string): Promise<void>;
  pause(readingId: string): Promise<void>;
  cancel(readingId: string): Promise<void>;
}

export function createReadingsStore(caller: HostCaller) {
  const store = createStore<ReadingsState>((set) => {
    const accept = (reading: Reading) => set((state) => withReading(state, reading));
    return {
      readings: [],
      changedId: null,
      async start(documentId, modelId) {
        accept(await caller.call('readings.start', { documentId, modelId }));
      },
      async pause(readingId) {
        accept(await caller.call('readings.pause', { readingId }));
      },
      async cancel(readingId) {
        await caller.call('readings.cancel', { readingId });
      },
    };
  });
  caller.on('readings.changed', (reading) => store.setState((state) => withReading(state, reading)));
  caller.on('readings.removed', ({ readingId }) => store.setState((state) => ({ readings: state.readings.filter(({ id }) => id !== readingId) })));
  caller.onOpen(() => {
    void caller.call('readings.list', {}).then(
      (readings) => store.setState({ readings }),
      () => undefined,
    );
  });
  return store;
}

function withReading({ readings, changedId }: ReadingsState, changed: Reading): Partial<ReadingsState> {
  const known = readings.find(({ id }) => id === changed.id);
  return {
    readings: known ? readings.map((reading) => (reading === known ? changed : reading)) : [...readings, changed],
    changedId: known?.state === changed.state ? changedId : changed.id,
  };
}

export const readingsStore = createReadingsStore(host);

export function useReadings<T>(selector: (state: ReadingsState) => T): T {
  return useStore(readingsStore, selector);
}

export function isUnderWay({ state }: Pick<Reading, 'state'>): boolean {
  return state === 'queued' || state === 'loading' || state === 'reading';
}

/** The one that is read now, else the one that needs the person most. */
export function foremost(readings: readonly Reading[]): Reading | null {
  const order: Reading['state'][] = ['reading', 'loading', 'queued', 'failed', 'paused'];
  for (const state of order) {
    const found = readings.find((reading) => reading.state === state);
    if (found) return found;
  }
  return null;
}

export function readingOf(readings: readonly Reading[], documentId: string, modelId: string | null): Reading | null {
  return readings.find((reading) => reading.documentId === documentId && reading.modelId === modelId) ?? null;
}
