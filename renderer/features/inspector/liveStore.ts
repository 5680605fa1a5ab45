/** What answers attend to while they are written, by message. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { type HostCaller, host } from '../../app/connection/session.ts';
import { joined, type LiveAnswer } from './liveAnswer.ts';

export interface LiveState {
  /** null: nothing was recorded, as far as the host knows. Those that were told of last. */
  known: Readonly<Record<string, LiveAnswer | null>>;
  /** Asks the host for what was told before this window heard of it. */
  load(messageId: string): Promise<void>;
}

/** A long answer about a long document takes a megabyte. */
const keptAnswers = 20;

export function createLiveStore(caller: HostCaller) {
  const asked = new Set<string>();
  const keep = ({ known }: LiveState, messageId: string, live: LiveAnswer | null): Pick<LiveState, 'known'> => {
    const { [messageId]: _before, ...others } = known;
    return { known: Object.fromEntries([...Object.entries(others).slice(1 - keptAnswers), [messageId, live]]) };
  };
  const store = createStore<LiveState>((set, get) => ({
    known: {},
    load: async (messageId) => {
      if (asked.has(messageId) || messageId in get().known) return;
      asked.add(messageId);
      const told = await caller.call('inspector.live', { messageId }).catch(() => null);
      asked.delete(messageId);
      if (get().known[messageId]) return;
      set((state) => keep(state, messageId, (told && joined(undefined, told.view, told.rows)) ?? null));
    },
  }));
  caller.on('answer.attention', ({ messageId, view, rows }) => {
    const next = joined(store.getState().known[messageId] ?? undefined, view, rows);
    if (!next) void store.getState().load(messageId);
    else store.setState((state) => keep(state, messageId, next));
  });
  return store;
}

export const liveStore = createLiveStore(host);

export function useLive(messageId: string | null): LiveAnswer | null {
  return useStore(liveStore, ({ known }) => (messageId === null ? null : (known[messageId] ?? null)));
}
