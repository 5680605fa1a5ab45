/** Deletes a chat after a few seconds in which it can be had back. */
import { toast } from 'sonner';
import type { Conversation } from '../../../host/contract/entities.ts';
import { strings } from '../../app/strings.ts';
import { chatStore } from './store.ts';
import { chatStrings } from './strings.ts';
import { titleOf } from './titleOf.ts';

const undoMs = 6000;

export function removeWithUndo(conversation: Conversation): void {
  const { activeId, removeLater, restore, open } = chatStore.getState();
  const wasOpen = activeId === conversation.id;
  removeLater(conversation.id, undoMs);
  toast(chatStrings.list.removed(titleOf(conversation.title)), {
    duration: undoMs - 500,
    action: {
      label: strings.common.undo,
      onClick: () => {
        restore(conversation.id);
        if (wasOpen) open(conversation.id);
      },
    },
  });
}
