import type { Conversation } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { NameField } from '../../../ui/NameField.tsx';
import { chatStore } from '../store.ts';
import { chatStrings } from '../strings.ts';

interface TitleFieldProps {
  conversation: Conversation;
  onDone(): void;
  className?: string;
}

export function TitleField({ conversation: { id, title }, onDone, className }: TitleFieldProps) {
  const rename = (written: string) => attempt(chatStore.getState().change(id, { title: written }));
  return <NameField label={chatStrings.list.renameLabel} name={title} onCommit={rename} onDone={onDone} className={className} />;
}
