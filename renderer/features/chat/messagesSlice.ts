/** Messages of the conversations that were opened, answers under way, and what is done with them. */
import type { StateCreator } from 'zustand';
import type { ConversationEvent } from '../../../host/contract/chatEntities.ts';
import type { AnswerProgress, Failure, Message } from '../../../host/contract/entities.ts';
import type { HostCaller } from '../../app/connection/session.ts';
import { failureOf } from '../../app/failures.ts';
import { type Delta, applyDeltas } from './deltas.ts';
import type { ChatState } from './store.ts';
import { type Thread, emptyThread, withActive, withMessage, withPath, withShown } from './thread.ts';

export interface MessagesSlice {
  threads: Readonly<Record<string, Thread>>;
  loadFailures: Readonly<Record<string, Failure>>;
  /** By conversation, in order. */
  happenings: Readonly<Record<string, readonly ConversationEvent[]>>;
  /** By message, while it streams. */
  progress: Readonly<Record<string, AnswerProgress>>;
  loadMessages(conversationId: string): Promise<void>;
  /** `onlyRead`: from what has been read of the documents so far. */
  send(text: string, options?: { onlyRead?: boolean }): Promise<void>;
  stop(): Promise<void>;
  regenerate(messageId: string): Promise<void>;
  edit(messageId: string, text: string): Promise<void>;
  selectAlternative(messageId: string): Promise<void>;
  /** Nothing of a conversation that is gone stays. */
  forget(conversationId: string): void;
  /** From the host's events. */
  receiveMessage(message: Message): void;
  receiveEvent(event: ConversationEvent): void;
  receiveProgress(progress: AnswerProgress): void;
  receiveDeltas(messageId: string, deltas: readonly Delta[]): void;
}

export function createMessagesSlice(caller: HostCaller): StateCreator<ChatState, [], [], MessagesSlice> {
  /** Deltas that came before what they continue; applied when the message has been fetched whole. */
  const held = new Map<string, Delta[]>();
  const fetching = new Set<string>();

  return (set, get) => {
    const update = (conversationId: string, edit: (thread: Thread) => Thread) =>
      set((state) => ({ threads: { ...state.threads, [conversationId]: edit(state.threads[conversationId] ?? emptyThread) } }));
    const place = (...messages: Message[]) => {
      for (const message of messages) update(message.conversationId, (thread) => withActive(thread, message));
    };
    const conversationOf = (messageId: string): string | undefined =>
      Object.keys(get().threads).find((id) => messageId in get().threads[id].byId);

    async function fetchPath(conversationId: string): Promise<void> {
      if (fetching.has(conversationId)) return;
      fetching.add(conversationId);
      try {
        const messages = await caller.call('conversations.messages', { conversationId });
        set((state) => {
          const { [conversationId]: _gone, ...loadFailures } = state.loadFailures;
          return { loadFailures };
        });
        update(conversationId, (thread) => withPath(thread, messages));
      } finally {
        fetching.delete(conversationId);
      }
      for (const message of Object.values(get().threads[conversationId].byId)) {
        const waiting = held.get(message.id);
        held.delete(message.id);
        // A gap that stays after a whole fetch is closed by the message.changed at the answer's end.
        if (waiting) update(conversationId, (thread) => withText(thread, message.id, applyDeltas(message.text, waiting).text));
      }
    }

    return {
      threads: {},
      loadFailures: {},
      happenings: {},
      progress: {},
      async loadMessages(conversationId) {
        try {
          await fetchPath(conversationId);
          const happened = await caller.call('conversations.events', { conversationId });
          set((state) => {
            const threads = withShown(state.threads, conversationId);
            return { threads, happenings: of(threads, { ...state.happenings, [conversationId]: happened }) };
          });
        } catch (error) {
          set((state) => ({ loadFailures: { ...state.loadFailures, [conversationId]: failureOf(error) } }));
        }
      },
      async send(text, { onlyRead = false } = {}) {
        const conversation = await get().ensureOpen();
        const { question, answer } = await caller.call('chat.send', { conversationId: conversation.id, text, ...(onlyRead ? { onlyRead } : {}) });
        place(question, answer);
        get().setDraft(conversation.id, '');
      },
      async stop() {
        const conversationId = get().activeId;
        if (conversationId !== null) await caller.call('chat.stop', { conversationId });
      },
      async regenerate(messageId) {
        place(await caller.call('chat.regenerate', { messageId }));
      },
      async edit(messageId, text) {
        const { question, answer } = await caller.call('chat.edit', { messageId, text });
        place(question, answer);
      },
      async selectAlternative(messageId) {
        const conversationId = conversationOf(messageId) ?? get().activeId;
        const messages = await caller.call('chat.select', { messageId });
        if (conversationId) update(conversationId, (thread) => withPath(thread, messages));
        get().scheduleMeter(0);
      },
      receiveMessage(message) {
        if (message.state !== 'streaming') {
          set((state) => {
            const { [message.id]: _done, ...progress } = state.progress;
            return { progress };
          });
        }
        if (!get().threads[message.conversationId]) return;
        update(message.conversationId, (thread) => withMessage(thread, message));
        if (message.state === 'streaming') return;
        if (message.conversationId === get().activeId) get().scheduleMeter(0);
      },
      receiveEvent(event) {
        set((state) => {
          const known = state.happenings[event.conversationId] ?? [];
          if (known.some(({ id }) => id === event.id)) return {};
          return { happenings: { ...state.happenings, [event.conversationId]: [...known, event] } };
        });
      },
      forget(conversationId) {
        set((state) => {
          const { [conversationId]: _thread, ...threads } = state.threads;
          const { [conversationId]: _failure, ...loadFailures } = state.loadFailures;
          return { threads, loadFailures, happenings: of(threads, state.happenings) };
        });
      },
      receiveProgress(progress) {
        set((state) => ({ progress: { ...state.progress, [progress.messageId]: progress } }));
      },
      receiveDeltas(messageId, deltas) {
        const { conversationId } = deltas[0];
        const thread = get().threads[conversationId];
        if (!thread) return;
        const message = thread.byId[messageId];
        if (message && message.state !== 'streaming') return;
        const waiting = held.get(messageId);
        const { text, rest } = waiting || !message ? { text: message?.text ?? '', rest: [...deltas] } : applyDeltas(message.text, deltas);
        if (message && text !== message.text) update(conversationId, (current) => withText(current, messageId, text));
        if (rest.length === 0) return;
        held.set(messageId, [...(waiting ?? []), ...rest]);
        void fetchPath(conversationId).catch(() => held.delete(messageId));
      },
    };
  };
}

/** Those of conversations whose thread is here. */
function of<T>(threads: Readonly<Record<string, Thread>>, kept: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(kept).filter(([id]) => id in threads));
}

function withText(thread: Thread, messageId: string, text: string): Thread {
  return { ...thread, byId: { ...thread.byId, [messageId]: { ...thread.byId[messageId], text } } };
}
