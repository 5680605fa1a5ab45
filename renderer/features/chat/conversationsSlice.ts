/** The list of conversations and which one is open. A new chat exists only once it holds something. */
import type { StateCreator } from 'zustand';
import type { Folder } from '../../../host/contract/chatEntities.ts';
import type { Conversation, Sampling } from '../../../host/contract/entities.ts';
import type { HostCaller } from '../../app/connection/session.ts';
import { remember, remembered } from '../../app/remembered.ts';
import { viewStore } from '../../app/view.ts';
import type { ChatState } from './store.ts';

export type ConversationChange = Partial<Pick<Conversation, 'title' | 'modelId' | 'documentIds' | 'systemPrompt' | 'policy' | 'folderId' | 'pinned'>> & { sampling?: Sampling };

export interface ConversationsSlice {
  listed: boolean;
  /** Newest first; the pages that were fetched so far. */
  conversations: Conversation[];
  /** Where the next page of chats in no folder begins; null: all are here. */
  next: { updatedAtMs: number; id: string } | null;
  folders: Folder[];
  openFolders: readonly string[];
  /** Removed on the screen, not yet at the host: the removal can still be undone. */
  removing: readonly string[];
  /** Null is the new chat. */
  activeId: string | null;
  /** Counts how often a chat was opened; one that begins to exist while it is open does not count. */
  openings: number;
  /** Folders and the first page, and what was open. */
  loadList(): Promise<void>;
  loadMore(): Promise<void>;
  toggleFolder(folderId: string): void;
  open(conversationId: string | null): void;
  /** The open conversation; creates it when it is the new chat. */
  ensureOpen(): Promise<Conversation>;
  /** Shows the change at once; the host's answer, or its refusal, has the last word. */
  change(conversationId: string, change: ConversationChange): Promise<void>;
  /** What the host says of a chat. */
  receiveConversation(conversation: Conversation): void;
  /** Hides the conversation now and removes it after the delay, unless it is restored before. */
  removeLater(conversationId: string, delayMs: number): void;
  restore(conversationId: string): void;
  /**
   * Documents on their way, null for what could not be brought: they join the chat that is open now, in their order,
   * whatever the person looks at when they are there. Resolves to whether that is still this chat.
   */
  bringDocuments(arriving: readonly Promise<{ id: string } | null>[]): Promise<boolean>;
  detachDocument(documentId: string): Promise<void>;
}

export const newChatKey = 'new';

export function keyOf(activeId: string | null): string {
  return activeId ?? newChatKey;
}

const pageLength = 200;

function newerFirst(a: Conversation, b: Conversation): number {
  return b.updatedAtMs - a.updatedAtMs;
}

function withoutThat(conversations: readonly Conversation[], { id }: Conversation): Conversation[] {
  return conversations.filter((conversation) => conversation.id !== id);
}

export function withConversation(conversations: readonly Conversation[], changed: Conversation): Conversation[] {
  return [...withoutThat(conversations, changed), changed].sort(newerFirst);
}

export function activeConversationOf(state: Pick<ConversationsSlice, 'conversations' | 'activeId'>): Conversation | null {
  return state.conversations.find((conversation) => conversation.id === state.activeId) ?? null;
}

/** A chat that is in no list yet. Whatever needs it begins it, and all of them get the same one. */
class NewChat {
  conversation: Conversation | null = null;
  #begun: Promise<Conversation> | null = null;

  begin(create: () => Promise<Conversation>): Promise<Conversation> {
    this.#begun ??= create()
      .then((conversation) => (this.conversation = conversation))
      .catch((error: unknown) => {
        this.#begun = null;
        throw error;
      });
    return this.#begun;
  }
}

export function createConversationsSlice(caller: HostCaller): StateCreator<ChatState, [], [], ConversationsSlice> {
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let newChat = new NewChat();

  return (set, get) => {
    /** Changes that the host has not answered yet, in their order: laid over whatever it says of the chat meanwhile. */
    const underWay = new Map<string, ConversationChange[]>();
    const withChanges = (conversation: Conversation) => (underWay.get(conversation.id) ?? []).reduce<Conversation>((changed, change) => ({ ...changed, ...change }), conversation);
    const accept = (conversation: Conversation) => set((state) => ({ conversations: withConversation(state.conversations, withChanges(conversation)) }));
    /** Chats that documents are on their way to, once for each bringing. */
    const awaiting: string[] = [];
    let loadingMore = false;

    async function page(folderId: string | null, before: ConversationsSlice['next']): Promise<ConversationsSlice['next']> {
      const { conversations, more } = await caller.call('conversations.list', { folderId, before: before && { updatedAtMs: before.updatedAtMs, id: before.id }, limit: folderId === null ? pageLength : 1000 });
      const fetched = new Set(conversations.map(({ id }) => id));
      set((state) => ({ conversations: [...state.conversations.filter(({ id }) => !fetched.has(id)), ...conversations.map(withChanges)].sort(newerFirst) }));
      const last = conversations.at(-1);
      return more && last ? { updatedAtMs: last.updatedAtMs, id: last.id } : null;
    }

    /** A chat that no page has brought yet. */
    async function fetchOne(conversationId: string): Promise<void> {
      try {
        accept(await caller.call('conversations.get', { conversationId }));
      } catch {
        if (get().activeId === conversationId) set({ activeId: null });
      }
    }

    /** Leaves no empty conversation behind when a started chat is left without having been used. */
    function discardIfEmpty(conversationId: string): void {
      const { conversations, threads, happenings, drafts } = get();
      const conversation = conversations.find(({ id }) => id === conversationId);
      const thread = threads[conversationId];
      const happened = happenings[conversationId];
      // One begun from a summary has no message yet; what is not known yet may be there.
      const used = !thread || !happened || thread.path.length + happened.length > 0 || (drafts[conversationId] ?? '').trim() !== '';
      if (!conversation || used || conversation.documentIds.length > 0 || awaiting.includes(conversationId)) return;
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
          happenings: { ...state.happenings, [conversation.id]: [] },
          drafts: { ...drafts, [conversation.id]: draft },
          activeId: state.activeId ?? conversation.id,
        };
      });
      return conversation;
    }

    /** The one that the person sees, or would see by asking for a new chat. */
    function theNewChat(): NewChat {
      if (newChat.conversation) newChat = new NewChat();
      return newChat;
    }

    async function setDocuments(conversation: Conversation, edit: (documentIds: string[]) => string[]): Promise<void> {
      const { id, documentIds } = get().conversations.find((one) => one.id === conversation.id) ?? conversation;
      await get().change(id, { documentIds: edit(documentIds) });
    }

    return {
      listed: false,
      conversations: [],
      next: null,
      folders: [],
      openFolders: remembered('folders')?.split(' ') ?? [],
      removing: [],
      activeId: null,
      openings: 0,
      async loadList() {
        const folders = await caller.call('folders.list', {});
        set({ folders });
        const next = await page(null, null);
        const open = get().openFolders.filter((id) => folders.some((folder) => folder.id === id));
        for (const id of open) await page(id, null);
        set({ listed: true, next, openFolders: open });
      },
      async loadMore() {
        const { next } = get();
        if (next === null || loadingMore) return;
        loadingMore = true;
        try {
          set({ next: await page(null, next) });
        } finally {
          loadingMore = false;
        }
      },
      toggleFolder(folderId) {
        const isOpen = get().openFolders.includes(folderId);
        const openFolders = isOpen ? get().openFolders.filter((id) => id !== folderId) : [...get().openFolders, folderId];
        set({ openFolders });
        remember('folders', openFolders.join(' ') || null);
        if (!isOpen) void page(folderId, null).catch(() => undefined);
      },
      open(conversationId) {
        const before = get().activeId;
        set((state) => ({ activeId: conversationId, openings: state.openings + 1 }));
        if (before !== conversationId) viewStore.getState().wantMessage(null);
        if (conversationId !== null && !get().conversations.some(({ id }) => id === conversationId)) void fetchOne(conversationId);
        if (before !== null && before !== conversationId) discardIfEmpty(before);
        if (conversationId !== null) void get().loadMessages(conversationId);
        get().scheduleMeter(0);
      },
      ensureOpen() {
        const active = activeConversationOf(get());
        return active ? Promise.resolve(active) : theNewChat().begin(create);
      },
      receiveConversation: accept,
      async change(conversationId, change) {
        const before = get().conversations.find(({ id }) => id === conversationId);
        underWay.set(conversationId, [...(underWay.get(conversationId) ?? []), change]);
        if (before) accept(before);
        let known = before;
        try {
          known = await caller.call('conversations.update', { conversationId, ...change });
        } finally {
          underWay.set(conversationId, (underWay.get(conversationId) ?? []).filter((one) => one !== change));
          // A chat that was removed meanwhile does not come back by a refusal.
          if (known && (known !== before || get().conversations.some(({ id }) => id === conversationId))) accept(known);
        }
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
      async bringDocuments(arriving) {
        const open = activeConversationOf(get());
        const chat = open ? null : theNewChat();
        if (open) awaiting.push(open.id);
        try {
          for (const one of arriving) {
            const document = await one;
            if (!document) continue;
            const conversation = open ?? (await chat!.begin(create));
            await setDocuments(conversation, (ids) => (ids.includes(document.id) ? ids : [...ids, document.id]));
          }
        } finally {
          if (open) {
            awaiting.splice(awaiting.indexOf(open.id), 1);
            if (get().activeId !== open.id) discardIfEmpty(open.id);
          }
        }
        return get().activeId === ((open ?? chat?.conversation)?.id ?? null);
      },
      detachDocument: async (documentId) => setDocuments(await get().ensureOpen(), (ids) => ids.filter((id) => id !== documentId)),
    };
  };
}
