/** The list of conversations and which one is open. A new chat exists only once it holds something. */
import type { StateCreator } from 'zustand';
import type { Conversation, Sampling } from '../../../host/contract/entities.ts';
import type { HostCaller } from '../../app/connection/session.ts';
import type { ChatState } from './store.ts';

export type ConversationChange = Partial<Pick<Conversation, 'title' | 'modelId' | 'documentIds' | 'systemPrompt' | 'policy'>> & { sampling?: Sampling };

export interface ConversationsSlice {
  listed: boolean;
  /** Newest first. */
  conversations: Conversation[];
  /** Removed on the screen, not yet at the host: the removal can still be undone. */
  removing: readonly string[];
  /** Null is the new chat. */
  activeId: string | null;
  open(conversationId: string | null): void;
  /** The open conversation; creates it when it is the new chat. */
  ensureOpen(): Promise<Conversation>;
  change(conversationId: string, change: ConversationChange): Promise<void>;
  /** Hides the conversation now and removes it after the delay, unless it is restored before. */
  removeLater(conversationId: string, delayMs: number): void;
  restore(conversationId: string): void;
  attachDocument(documentId: string): Promise<void>;
  detachDocument(documentId: string): Promise<void>;
}

export const newChatKey = 'new';

export function keyOf(activeId: string | null): string {
  return activeId ?? newChatKey;
}

export function byNewest(conversations: readonly Conversation[]): Conversation[] {
  return [...conversations].sort((a, b) => b.updatedAtMs - a.updatedAtMs);
}

export function withConversation(conversations: readonly Conversation[], changed: Conversation): Conversation[] {
  return byNewest([...conversations.filter((conversation) => conversation.id !== changed.id), changed]);
}

export function activeConversationOf(state: Pick<ConversationsSlice, 'conversations' | 'activeId'>): Conversation | null {
  return state.conversations.find((conversation) => conversation.id === state.activeId) ?? null;
}

export function createConversationsSlice(caller: HostCaller): StateCreator<ChatState, [], [], ConversationsSlice> {
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let creating: Promise<Conversation> | null = null;

  return (set, get) => {
    const accept = (conversation: Conversation) =>
      set((state) => ({ conversations: withConversation(state.conversations, conversation) }));

    /** Leaves no empty conversation behind when a started chat is left without having been used. */
    function discardIfEmpty(conversationId: string): void {
      const { conversations, threads, drafts } = get();
      const conversation = conversations.find(({ id }) => id === conversationId);
      const thread = threads[conversationId];
      const used = !thread || thread.path.length > 0 || (drafts[conversationId] ?? '').trim() !== '';
      if (!conversation || used || conversation.documentIds.length > 0) return;
      set({ conversations: conversations.filter(({ id }) => id !== conversationId) });
      void caller.call('conversations.remove', { conversationId }).catch(() => undefined);
    }

    async function removeNow(conversationId: string): Promise<void> {
      timers.delete(conversationId);
      try {
        await caller.call('conversations.remove', { conversationId });
        set((state) => ({ conversations: state.conversations.filter(({ id }) => id !== conversationId) }));
      } finally {
        // Where the host could not remove it, it is shown again.
        get().restore(conversationId);
      }
    }

    async function create(): Promise<Conversation> {
      const conversation = await caller.call('conversations.create', {});
      set((state) => {
        const { [newChatKey]: draft = '', ...drafts } = state.drafts;
        return {
          conversations: withConversation(state.conversations, conversation),
          threads: { ...state.threads, [conversation.id]: { byId: {}, path: [] } },
          drafts: { ...drafts, [conversation.id]: draft },
          activeId: state.activeId ?? conversation.id,
        };
      });
      return conversation;
    }

    async function setDocuments(edit: (documentIds: string[]) => string[]): Promise<void> {
      const { id, documentIds } = await get().ensureOpen();
      await get().change(id, { documentIds: edit(documentIds) });
    }

    return {
      listed: false,
      conversations: [],
      removing: [],
      activeId: null,
      open(conversationId) {
        const before = get().activeId;
        set({ activeId: conversationId });
        if (before !== null && before !== conversationId) discardIfEmpty(before);
        if (conversationId !== null) void get().loadMessages(conversationId);
        get().scheduleMeter(0);
      },
      ensureOpen() {
        const active = activeConversationOf(get());
        if (active) return Promise.resolve(active);
        creating ??= create().finally(() => (creating = null));
        return creating;
      },
      async change(conversationId, change) {
        accept(await caller.call('conversations.update', { conversationId, ...change }));
        get().scheduleMeter(0);
      },
      removeLater(conversationId, delayMs) {
        set((state) => ({
          removing: [...state.removing, conversationId],
          activeId: state.activeId === conversationId ? null : state.activeId,
        }));
        timers.set(conversationId, setTimeout(() => void removeNow(conversationId), delayMs));
      },
      restore(conversationId) {
        clearTimeout(timers.get(conversationId));
        timers.delete(conversationId);
        set((state) => ({ removing: state.removing.filter((id) => id !== conversationId) }));
      },
      attachDocument: (documentId) => setDocuments((ids) => (ids.includes(documentId) ? ids : [...ids, documentId])),
      detachDocument: (documentId) => setDocuments((ids) => ids.filter((id) => id !== documentId)),
    };
  };
}
