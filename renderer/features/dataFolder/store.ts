/** Where the data folder is, and its move to another place. */
import { toast } from 'sonner';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { DataFolderStatus, MovePlan, MoveTarget } from '../../../host/contract/dataFolder.ts';
import type { Failure } from '../../../host/contract/entities.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';
import { failureOf } from '../../app/failures.ts';
import { said } from '../../app/said/said.ts';
import { dataFolderStrings } from './strings.ts';

export interface DataFolderState {
  status: DataFolderStatus | null;
  /** What the person has chosen, and what it would take; null: nothing is asked. */
  asked: { to: MoveTarget; plan: MovePlan | null; failure: Failure | null } | null;
  ask(to: MoveTarget): Promise<void>;
  dismiss(): void;
  move(): Promise<void>;
  cancel(): Promise<void>;
  discard(): Promise<void>;
}

export function createDataFolderStore(caller: HostCaller) {
  const store = createStore<DataFolderState>((set, get) => ({
    status: null,
    asked: null,
    async ask(to) {
      try {
        set({ asked: { to, plan: await caller.call('dataFolder.plan', { to }), failure: null } });
      } catch (error) {
        set({ asked: { to, plan: null, failure: failureOf(error) } });
      }
    },
    dismiss: () => set({ asked: null }),
    async move() {
      const { asked } = get();
      if (!asked) return;
      try {
        // Whoever has seen how many jobs there are, and goes on, lets them stop.
        set({ status: await caller.call('dataFolder.move', { to: asked.to, stopJobs: true }), asked: null });
      } catch (error) {
        set({ asked: { ...asked, plan: null, failure: failureOf(error) } });
      }
    },
    async cancel() {
      await caller.call('dataFolder.cancel', {});
    },
    async discard() {
      set({ status: await caller.call('dataFolder.discard', {}) });
    },
  }));
  caller.on('dataFolder.changed', (status) => store.setState({ status }));
  caller.onOpen(() => {
    const wasMoving = (store.getState().status?.move ?? null) !== null;
    void caller.call('dataFolder.status', {}).then(
      (status) => {
        store.setState({ status });
        return wasMoving && !status.move ? tellEnd(status) : undefined;
      },
      () => undefined,
    );
  });
  return store;
}

/** The window shows where it was when the move began: how it ended may be far up or down on that screen. */
function tellEnd({ last }: DataFolderStatus): void {
  if (last?.failure) toast.error(said(last.failure.message), { description: said(last.failure.remedy), duration: 9000 });
  else if (last) toast.success(dataFolderStrings.moved(last.path));
}

export const dataFolderStore = createDataFolderStore(host);

export function useDataFolder<T>(selector: (state: DataFolderState) => T): T {
  return useStore(dataFolderStore, selector);
}
