/** Opens a document at a passage, beside the chat. */
import { viewStore } from '../../app/view.ts';
import { readerStore } from '../reader/store.ts';

export function openPassage({ documentId, start, end }: { documentId: string; start: number; end: number }): void {
  viewStore.getState().show('chat');
  readerStore.getState().open(documentId, { start, end });
}
