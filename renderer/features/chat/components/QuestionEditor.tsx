import { useEffect, useRef, useState } from 'react';
import type { Message } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { strings } from '../../../app/strings.ts';
import { Button } from '../../../ui/Button.tsx';
import { chatStore } from '../store.ts';
import { chatStrings } from '../strings.ts';

/** The edited question is asked beside the old one; nothing is overwritten. */
export function QuestionEditor({ message, onDone }: { message: Message; onDone(): void }) {
  const [draft, setDraft] = useState(message.text);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(-1, -1);
  }, []);
  const send = () => {
    if (draft.trim() === '') return;
    attempt(chatStore.getState().edit(message.id, draft));
    onDone();
  };
  return (
    <div className="w-full">
      <textarea
        ref={field}
        aria-label={chatStrings.message.editLabel}
        value={draft}
        rows={Math.min(12, Math.max(2, draft.split('\n').length))}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) send();
          else if (event.key === 'Escape') onDone();
          else return;
          event.preventDefault();
        }}
        className="field w-full px-3 py-2 text-body"
      />
      <div className="mt-1.5 flex justify-end gap-2">
        <Button onClick={onDone}>{strings.common.cancel}</Button>
        <Button variant="primary" disabled={draft.trim() === ''} onClick={send}>
          {chatStrings.message.resend}
        </Button>
      </div>
    </div>
  );
}
