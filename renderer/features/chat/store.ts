/** Conversations, messages and the composer, one slice each, fed by the host's events. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { type HostCaller, host } from '../../app/connection/session.ts';
import { remember, remembered } from '../../app/remembered.ts';
import { type ComposerSlice, createComposerSlice } from './composerSlice.ts';
import { type ConversationsSlice, createConversationsSlice } from './conversationsSlice.ts';
import { DeltaBuffer, atNextFrame } from './deltas.ts';
import { type MessagesSlice, createMessagesSlice } from './messagesSlice.ts';

export type ChatState = ConversationsSlice & MessagesSlice & ComposerSlice;

const rememberedChat = 'chat';

export function createChatStore(caller: HostCaller, schedule = atNextFrame) {
  const store = createStore<ChatState>((...tools) => ({
    ...createConversationsSlice(caller)(...tools),
    ...createMessagesSlice(caller)(...tools),
    ...createComposerSlice(caller)(...tools),
  }));
  const { getState, setState } = store;
  const buffer = new DeltaBuffer((messageId, deltas) => getState().receiveDeltas(messageId, deltas), schedule);

  caller.on('conversation.changed', (conversation) => getState().receiveConversation(conversation));
  caller.on('conversation.removed', ({ conversationId }) => {
    setState((state) => ({
      conversations: state.conversations.filter(({ id }) => id !== conversationId),
      activeId: state.activeId === conversationId ? null : state.activeId,
    }));
    getState().forget(conversationId);
  });
  caller.on('conversations.changed', () => {
    setState({ conversations: [] });
    void getState().loadList().catch(() => undefined);
  });
  caller.on('folders.changed', (folders) => setState({ folders }));
  caller.on('conversation.event', (event) => getState().receiveEvent(event));
  caller.on('message.changed', (message) => getState().receiveMessage(message));
  caller.on('answer.progress', (progress) => getState().receiveProgress(progress));
  caller.on('answer.delta', (delta) => buffer.push(delta));
  caller.on('models.changed', () => getState().scheduleMeter());
  caller.on('settings.changed', () => getState().scheduleMeter());
  caller.onOpen(() => void load().catch(() => undefined));

  async function load(): Promise<void> {
    const { listed, activeId, loadList } = getState();
    // After a reload of the window the chat that was open is open again; one that is gone is closed again.
    const wanted = listed ? activeId : remembered(rememberedChat);
    await loadList();
    getState().open(wanted);
  }
  store.subscribe((state, before) => {
    if (state.listed && state.activeId !== before.activeId) remember(rememberedChat, state.activeId);
  });
  return store;
}

export const chatStore = createChatStore(host);

export function useChat<T>(selector: (state: ChatState) => T): T {
  return useStore(chatStore, selector);
}
