/** Which answer is looked into, what is known of it, and what of it is shown. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { AnswerEvidence, EvidenceState, HeadChoice } from '../../../host/contract/inspection.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';
import { failureOf } from '../../app/failures.ts';
import { viewStore } from '../../app/view.ts';

export type InspectorTab = 'map' | 'timeline' | 'heads' | 'passages' | 'compare' | 'triangle' | 'guide';

/** Positions of the prompt, and tokens of the answer. */
export interface MapWindow {
  fromKey: number;
  toKey: number;
}

export interface InspectorState {
  messageId: string | null;
  tab: InspectorTab;
  heads: HeadChoice;
  reducer: 'sum' | 'peak';
  /** Token of the answer; null: all of them. */
  row: number | null;
  /** null: everything. */
  window: MapWindow | null;
  /** Whether strips show what the policy chose, and where the keys lie. */
  overlay: boolean;
  /** By message. */
  known: Readonly<Record<string, EvidenceState>>;
  open(messageId: string, change?: Partial<Pick<InspectorState, 'tab' | 'row' | 'window' | 'heads' | 'reducer' | 'overlay'>>): void;
  close(): void;
  show(tab: InspectorTab): void;
  choose(change: Partial<Pick<InspectorState, 'heads' | 'reducer' | 'row' | 'window' | 'overlay'>>): void;
  /** Asks the host, which looks into it if that was not done. */
  load(messageId: string): Promise<void>;
}

export function createInspectorStore(caller: HostCaller) {
  const store = createStore<InspectorState>((set, get) => ({
    messageId: null,
    tab: 'map',
    heads: 'retrieval',
    reducer: 'sum',
    row: null,
    window: null,
    overlay: false,
    known: {},
    open: (messageId, change = {}) => {
      set({ messageId, tab: 'map', row: null, window: null, heads: 'retrieval', ...change });
      viewStore.getState().show('inspector');
      void get().load(messageId);
    },
    close: () => {
      const { messageId } = get();
      if (messageId !== null) void caller.call('inspector.cancel', { messageId }).catch(() => undefined);
      set({ messageId: null });
      viewStore.getState().show('chat');
    },
    show: (tab) => set({ tab }),
    choose: (change) => set(change),
    load: async (messageId) => {
      let state: EvidenceState;
      try {
        state = await caller.call('inspector.evidence', { messageId });
      } catch (error) {
        state = { state: 'none', evidence: null, failure: failureOf(error) };
      }
      set(({ known }) => ({ known: { ...known, [messageId]: state } }));
    },
  }));
  caller.on('evidence.changed', ({ messageId }) => void store.getState().load(messageId));
  return store;
}

export const inspectorStore = createInspectorStore(host);

export function useInspector<T>(selector: (state: InspectorState) => T): T {
  return useStore(inspectorStore, selector);
}

export function useEvidence(messageId: string | null): AnswerEvidence | null {
  return useInspector((state) => (messageId === null ? null : (state.known[messageId]?.evidence ?? null)));
}
