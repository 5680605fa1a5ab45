/** Shows what a search has found. */
import type { SearchResult } from '../../../host/contract/chatEntities.ts';
import { viewStore } from '../../app/view.ts';
import { chatStore } from '../chat/store.ts';
import { readerStore } from '../reader/store.ts';

export async function openMessage({ conversationId, messageId }: SearchResult['messages'][number]): Promise<void> {
  const { open, loadMessages, selectAlternative } = chatStore.getState();
  viewStore.getState().show('chat');
  open(conversationId);
  await loadMessages(conversationId);
  // It may stand on an alternative that is not shown now.
  if (!chatStore.getState().threads[conversationId]?.path.includes(messageId)) await selectAlternative(messageId);
  viewStore.getState().wantMessage(messageId);
}

export function openChat(conversationId: string): void {
  viewStore.getState().show('chat');
  chatStore.getState().open(conversationId);
}

export function openPassage({ documentId, start, end }: SearchResult['documents'][number]): void {
  viewStore.getState().show('chat');
  readerStore.getState().open(documentId, { start, end });
}
