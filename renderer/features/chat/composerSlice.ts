/** The question being written and what it would take of the context. */
import type { StateCreator } from 'zustand';
import type { ContextMeter, Failure } from '../../../host/contract/entities.ts';
import type { HostCaller } from '../../app/connection/session.ts';
import { failureOf } from '../../app/failures.ts';
import { keyOf } from './conversationsSlice.ts';
import type { ChatState } from './store.ts';

export interface ComposerSlice {
  /** By conversation; the new chat has its own. */
  drafts: Readonly<Record<string, string>>;
  meters: Readonly<Record<string, ContextMeter>>;
  meterFailures: Readonly<Record<string, Failure>>;
  setDraft(key: string, text: string): void;
  /** Counts again after a pause in typing; at once where something else changed. */
  scheduleMeter(delayMs?: number): void;
}

const typingPauseMs = 250;

export function createComposerSlice(caller: HostCaller): StateCreator<ChatState, [], [], ComposerSlice> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let newest = 0;

  return (set, get) => {
    async function measure(): Promise<void> {
      const draft = get().drafts[keyOf(get().activeId)] ?? '';
      const turn = ++newest;
      if (get().activeId === null && draft.trim() === '') {
        // What is not counted has not failed either.
        set((state) => ({ meterFailures: without(state.meterFailures, null) }));
        return;
      }
      let conversationId = get().activeId;
      try {
        conversationId ??= (await get().ensureOpen()).id;
        const meter = await caller.call('chat.meter', { conversationId, draft });
        if (turn === newest) set((state) => ({ meters: { ...state.meters, [meterKey(conversationId)]: meter }, meterFailures: without(without(state.meterFailures, null), conversationId) }));
      } catch (error) {
        if (turn !== newest) return;
        set((state) => ({
          meters: without(state.meters, conversationId),
          meterFailures: { ...state.meterFailures, [meterKey(conversationId)]: failureOf(error) },
        }));
      }
    }

    return {
      drafts: {},
      meters: {},
      meterFailures: {},
      setDraft(key, text) {
        set((state) => ({ drafts: { ...state.drafts, [key]: text } }));
        get().scheduleMeter();
      },
      scheduleMeter(delayMs = typingPauseMs) {
        clearTimeout(timer);
        timer = setTimeout(() => void measure(), delayMs);
      },
    };
  };
}

const meterKey = keyOf;

function without<T>(record: Readonly<Record<string, T>>, conversationId: string | null): Record<string, T> {
  const { [keyOf(conversationId)]: _gone, ...rest } = record;
  return rest;
}
