/** A folder in the list of chats: opens and closes, is renamed in place, is removed without its chats. */
import { clsx } from 'clsx';
import { ChevronRight, Ellipsis, Folder as FolderIcon, Pencil, Trash2 } from 'lucide-react';
import { type KeyboardEvent, useState } from 'react';
import type { Folder } from '../../../../host/contract/chatEntities.ts';
import { host } from '../../../app/connection/session.ts';
import { attempt } from '../../../app/failures.ts';
import { Menu, MenuItem } from '../../../ui/Menu.tsx';
import { NameField } from '../../../ui/NameField.tsx';
import { chatStore } from '../store.ts';
import { chatStrings } from '../strings.ts';

const text = chatStrings.folders;

interface FolderRowProps {
  folder: Folder;
  open: boolean;
  index: number;
  reachable: boolean;
  onMove(step: 1 | -1): void;
}

export function FolderRow({ folder, open, index, reachable, onMove }: FolderRowProps) {
  const [renaming, setRenaming] = useState(false);
  const toggle = () => chatStore.getState().toggleFolder(folder.id);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') onMove(1);
    else if (event.key === 'ArrowUp') onMove(-1);
    else if (event.key === 'ArrowRight' && !open) toggle();
    else if (event.key === 'ArrowLeft' && open) toggle();
    else if (event.key === 'F2') setRenaming(true);
    else return;
    event.preventDefault();
  };
  if (renaming) {
    return (
      <NameField
        label={text.nameLabel}
        name={folder.name}
        className="h-[28px] w-full"
        onCommit={(name) => attempt(host.call('folders.rename', { folderId: folder.id, name }))}
        onDone={() => setRenaming(false)}
      />
    );
  }
  return (
    <div className="group relative flex h-[28px] items-center rounded-md hover:bg-hover">
      <button
        type="button"
        data-row={index}
        tabIndex={reachable ? 0 : -1}
        aria-expanded={open}
        onClick={toggle}
        onKeyDown={onKeyDown}
        className="flex h-full min-w-0 flex-1 items-center gap-1.5 rounded-md px-2 text-left group-focus-within:pr-8 group-hover:pr-8"
      >
        <ChevronRight size={13} className={clsx('shrink-0 text-quiet transition-transform', open && 'rotate-90')} aria-hidden />
        <FolderIcon size={14} strokeWidth={1.75} className="shrink-0 text-quiet" aria-hidden />
        <span className="truncate">{folder.name}</span>
      </button>
      <Menu
        align="start"
        trigger={
          <button
            type="button"
            tabIndex={reachable ? 0 : -1}
            aria-label={text.more(folder.name)}
            className="absolute right-1 flex size-6 items-center justify-center rounded-md text-quiet opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 hover:bg-pressed hover:text-text aria-expanded:opacity-100"
          >
            <Ellipsis size={15} aria-hidden />
          </button>
        }
      >
        <MenuItem icon={Pencil} shortcut="F2" onSelect={() => setTimeout(() => setRenaming(true))}>
          {chatStrings.list.rename}
        </MenuItem>
        <MenuItem icon={Trash2} danger onSelect={() => attempt(host.call('folders.remove', { folderId: folder.id }))}>
          {text.remove}
        </MenuItem>
      </Menu>
    </div>
  );
}
