/** Opens a document at a passage, beside the chat. */
import { viewStore } from '../../app/view.ts';
import { libraryStore } from '../library/store.ts';

export function openPassage({ documentId }: { documentId: string; start: number; end: number }): void {
  viewStore.getState().show('chat');
  libraryStore.getState().preview(documentId);
}
