import { clsx } from 'clsx';
import { Ellipsis } from 'lucide-react';
import { type KeyboardEvent, useState } from 'react';
import type { Conversation } from '../../../../host/contract/entities.ts';
import { Menu } from '../../../ui/Menu.tsx';
import { removeWithUndo } from '../removeWithUndo.ts';
import { useChat } from '../store.ts';
import { chatStrings } from '../strings.ts';
import { titleOf } from '../titleOf.ts';
import { streamingAnswerOf } from '../thread.ts';
import { ConversationMenu } from './ConversationMenu.tsx';
import { TitleField } from './TitleField.tsx';

interface ConversationRowProps {
  conversation: Conversation;
  index: number;
  inFolder: boolean;
  current: boolean;
  reachable: boolean;
  onOpen(): void;
  /** Moves the focus to the next or the previous row. */
  onMove(step: 1 | -1): void;
}

export function ConversationRow({ conversation, index, inFolder, current, reachable, onOpen, onMove }: ConversationRowProps) {
  const [renaming, setRenaming] = useState(false);
  const answering = useChat((state) => streamingAnswerOf(state.threads[conversation.id]) !== null);
  const title = titleOf(conversation.title);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') onMove(1);
    else if (event.key === 'ArrowUp') onMove(-1);
    else if (event.key === 'F2') setRenaming(true);
    else if (event.key === 'Delete') removeWithUndo(conversation);
    else return;
    event.preventDefault();
  };
  if (renaming) {
    return <TitleField conversation={conversation} onDone={() => setRenaming(false)} className="h-[28px] w-full" />;
  }
  return (
    <div className={clsx('group relative flex h-[28px] items-center rounded-md', current ? 'bg-pressed' : 'hover:bg-hover')}>
      <button
        type="button"
        data-row={index}
        tabIndex={reachable ? 0 : -1}
        aria-current={current ? 'page' : undefined}
        onClick={onOpen}
        onDoubleClick={() => setRenaming(true)}
        onKeyDown={onKeyDown}
        className={clsx('h-full min-w-0 flex-1 truncate rounded-md pr-2 text-left group-focus-within:pr-8 group-hover:pr-8', inFolder ? 'pl-7' : 'pl-2', current && 'font-medium')}
      >
        {title}
      </button>
      {answering && <span className="mr-2 size-1.5 shrink-0 rounded-full bg-accent group-focus-within:hidden group-hover:hidden" aria-hidden />}
      <Menu
        align="start"
        trigger={
          <button
            type="button"
            tabIndex={reachable ? 0 : -1}
            aria-label={chatStrings.list.more(title)}
            className={clsx(
              'absolute right-1 flex size-6 items-center justify-center rounded-md text-quiet hover:bg-pressed hover:text-text group-focus-within:opacity-100 aria-expanded:opacity-100',
              'opacity-0 group-hover:opacity-100',
            )}
          >
            <Ellipsis size={15} aria-hidden />
          </button>
        }
      >
        <ConversationMenu conversation={conversation} onRename={() => setTimeout(() => setRenaming(true))} />
      </Menu>
    </div>
  );
}
