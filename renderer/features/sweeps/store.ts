/** Jobs that go through whole documents, as the host tells of them. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Sweep } from '../../../host/contract/sweep.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';

export interface SweepsState {
  sweeps: readonly Sweep[];
  start(asked: Pick<Sweep, 'documentId' | 'modelId' | 'conversationId' | 'question'>): Promise<void>;
  pause(sweepId: string): Promise<void>;
  resume(sweepId: string): Promise<void>;
  remove(sweepId: string): Promise<void>;
}

export function createSweepsStore(caller: HostCaller) {
  const store = createStore<SweepsState>((set) => {
    const accept = (sweep: Sweep): void => set(({ sweeps }) => ({ sweeps: withSweep(sweeps, sweep) }));
    return {
      sweeps: [],
      start: async (asked) => accept(await caller.call('sweeps.start', asked)),
      pause: async (sweepId) => accept(await caller.call('sweeps.pause', { sweepId })),
      resume: async (sweepId) => accept(await caller.call('sweeps.resume', { sweepId })),
      remove: async (sweepId) => void (await caller.call('sweeps.remove', { sweepId })),
    };
  });
  caller.on('sweeps.changed', (sweep) => store.setState(({ sweeps }) => ({ sweeps: withSweep(sweeps, sweep) })));
  caller.on('sweeps.removed', ({ sweepId }) => store.setState(({ sweeps }) => ({ sweeps: sweeps.filter(({ id }) => id !== sweepId) })));
  caller.onOpen(() => {
    void caller.call('sweeps.list', {}).then(
      (sweeps) => store.setState({ sweeps }),
      () => undefined,
    );
  });
  return store;
}

function withSweep(sweeps: readonly Sweep[], changed: Sweep): Sweep[] {
  const known = sweeps.some(({ id }) => id === changed.id);
  return known ? sweeps.map((sweep) => (sweep.id === changed.id ? changed : sweep)) : [...sweeps, changed];
}

/** How much of the document was read, and what it gave. */
export function coverageOf({ windows }: Pick<Sweep, 'windows'>): { all: number; read: number; gave: number; empty: number; share: number } {
  const of = (state: Sweep['windows'][number]['state']): Sweep['windows'] => windows.filter((window) => window.state === state);
  const characters = (some: Sweep['windows']): number => some.reduce((sum, { start, end }) => sum + end - start, 0);
  const [gave, empty] = [of('gave'), of('empty')];
  return { all: windows.length, read: gave.length + empty.length, gave: gave.length, empty: empty.length, share: characters([...gave, ...empty]) / Math.max(1, characters(windows)) };
}

export const sweepsStore = createSweepsStore(host);

export function useSweeps<T>(selector: (state: SweepsState) => T): T {
  return useStore(sweepsStore, selector);
}
