import { ChevronLeft, ChevronRight } from 'lucide-react';
import type { Message } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { IconButton } from '../../../ui/IconButton.tsx';
import { chatStore } from '../store.ts';
import { chatStrings } from '../strings.ts';

const text = chatStrings.message;

/** ‹ 2/3 › between questions or answers that share a place in the conversation. */
export function Alternatives({ message }: { message: Message }) {
  const { siblingIds, siblingIndex } = message;
  if (siblingIds.length < 2) return null;
  const go = (index: number) => attempt(chatStore.getState().selectAlternative(siblingIds[index]));
  return (
    <span role="group" aria-label={text.alternatives} className="flex items-center text-small text-quiet tabular-nums">
      <IconButton icon={ChevronLeft} label={text.previous} size="small" iconSize={14} disabled={siblingIndex === 0} onClick={() => go(siblingIndex - 1)} />
      <span data-testid="alternative-position">{text.position(siblingIndex + 1, siblingIds.length)}</span>
      <IconButton icon={ChevronRight} label={text.next} size="small" iconSize={14} disabled={siblingIndex === siblingIds.length - 1} onClick={() => go(siblingIndex + 1)} />
    </span>
  );
}
