import { Pencil } from 'lucide-react';
import { memo, useState } from 'react';
import type { Message } from '../../../../host/contract/entities.ts';
import { CopyButton } from '../../../ui/CopyButton.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
import { useIsAnswering } from '../hooks/useChatContext.ts';
import { chatStrings } from '../strings.ts';
import { Alternatives } from './Alternatives.tsx';
import { QuestionEditor } from './QuestionEditor.tsx';

const text = chatStrings.message;

export const Question = memo(function Question({ message }: { message: Message }) {
  const [editing, setEditing] = useState(false);
  const answering = useIsAnswering();
  return (
    <article aria-label={text.you} data-testid="question" className="turn group mb-2 flex flex-col items-end pt-2">
      {editing ? (
        <QuestionEditor message={message} onDone={() => setEditing(false)} />
      ) : (
        <p className="selectable max-w-[88%] rounded-lg bg-sunken px-3.5 py-2 text-body break-words whitespace-pre-wrap">{message.text}</p>
      )}
      {!editing && (
        <footer className="mt-0.5 flex h-6 items-center gap-0.5">
          <span className="flex opacity-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100">
            <CopyButton text={() => message.text} label={text.copyQuestion} />
            <IconButton icon={Pencil} label={text.edit} size="small" iconSize={14} disabled={answering} onClick={() => setEditing(true)} />
          </span>
          <Alternatives message={message} />
        </footer>
      )}
    </article>
  );
});
