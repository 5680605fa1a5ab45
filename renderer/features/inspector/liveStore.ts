/** What answers attend to while they are written, by message. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { type HostCaller, host } from '../../app/connection/session.ts';
import { joined, type LiveAnswer } from './liveAnswer.ts';

export interface LiveState {
  /** null: nothing was recorded, as far as the host knows. */
  known: Readonly<Record<string, LiveAnswer | null>>;
  /** Asks the host for what was told before this window heard of it, once. */
  load(messageId: string): Promise<void>;
}

export function createLiveStore(caller: HostCaller) {
  const asked = new Set<string>();
  const store = createStore<LiveState>((set, get) => ({
    known: {},
    load: async (messageId) => {
      if (asked.has(messageId) || get().known[messageId]) return;
      asked.add(messageId);
      const told = await caller.call('inspector.live', { messageId }).catch(() => null);
      if (get().known[messageId]) return;
      set(({ known }) => ({ known: { ...known, [messageId]: (told && joined(undefined, told.view, told.rows)) ?? null } }));
    },
  }));
  caller.on('answer.attention', ({ messageId, view, rows }) => {
    const next = joined(store.getState().known[messageId] ?? undefined, view, rows);
    if (!next) void store.getState().load(messageId);
    else store.setState(({ known }) => ({ known: { ...known, [messageId]: next } }));
  });
  return store;
}

export const liveStore = createLiveStore(host);

export function useLive(messageId: string | null): LiveAnswer | null {
  return useStore(liveStore, ({ known }) => (messageId === null ? null : (known[messageId] ?? null)));
}
