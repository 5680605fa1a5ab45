import { clsx } from 'clsx';
import { useEffect, useRef } from 'react';
import type { Conversation } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { chatStore } from '../store.ts';
import { chatStrings } from '../strings.ts';

interface TitleFieldProps {
  conversation: Conversation;
  onDone(): void;
  className?: string;
}

/** Renames a chat in place: Enter and leaving keep the name, Escape does not. */
export function TitleField({ conversation, onDone, className }: TitleFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const finished = useRef(false);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const finish = (keep: boolean) => {
    if (finished.current) return;
    finished.current = true;
    const title = field.current?.value.trim() ?? '';
    if (keep && title !== '' && title !== conversation.title) attempt(chatStore.getState().change(conversation.id, { title }));
    onDone();
  };
  return (
    <input
      ref={field}
      aria-label={chatStrings.list.renameLabel}
      defaultValue={conversation.title}
      maxLength={200}
      className={clsx('field', className)}
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        finish(event.key === 'Enter');
      }}
    />
  );
}
