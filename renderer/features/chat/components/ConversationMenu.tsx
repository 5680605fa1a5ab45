/** What can be done with a chat in the list. */
import { Download, FileJson, FileText, FolderInput, FolderPlus, Pencil, Pin, PinOff, Trash2 } from 'lucide-react';
import type { Conversation } from '../../../../host/contract/entities.ts';
import { host } from '../../../app/connection/session.ts';
import { attempt } from '../../../app/failures.ts';
import { MenuItem, MenuSeparator, Submenu } from '../../../ui/Menu.tsx';
import { exportChats } from '../chatFiles.ts';
import { removeWithUndo } from '../removeWithUndo.ts';
import { chatStore, useChat } from '../store.ts';
import { chatStrings } from '../strings.ts';

const text = chatStrings.list;

export function ConversationMenu({ conversation, onRename }: { conversation: Conversation; onRename(): void }) {
  const { id, pinned, folderId } = conversation;
  const folders = useChat((state) => state.folders);
  const change = (part: Partial<Pick<Conversation, 'pinned' | 'folderId'>>) => attempt(chatStore.getState().change(id, part));
  return (
    <>
      <MenuItem icon={Pencil} shortcut="F2" onSelect={onRename}>
        {text.rename}
      </MenuItem>
      <MenuItem icon={pinned ? PinOff : Pin} onSelect={() => change({ pinned: !pinned })}>
        {pinned ? text.unpin : text.pin}
      </MenuItem>
      <Submenu icon={FolderInput} label={text.moveTo}>
        {folders
          .filter((folder) => folder.id !== folderId)
          .map((folder) => (
            <MenuItem key={folder.id} onSelect={() => change({ folderId: folder.id })}>
              {folder.name}
            </MenuItem>
          ))}
        {folderId !== null && <MenuItem onSelect={() => change({ folderId: null })}>{text.noFolder}</MenuItem>}
        {(folders.length > 1 || folderId !== null || folders.length === 1) && <MenuSeparator />}
        <MenuItem icon={FolderPlus} onSelect={() => attempt(moveToNewFolder(conversation))}>
          {text.newFolder}
        </MenuItem>
      </Submenu>
      <Submenu icon={Download} label={text.export}>
        <MenuItem icon={FileText} onSelect={() => attempt(exportChats([id], 'markdown'))}>
          {text.asMarkdown}
        </MenuItem>
        <MenuItem icon={FileJson} onSelect={() => attempt(exportChats([id], 'json'))}>
          {text.asJson}
        </MenuItem>
      </Submenu>
      <MenuSeparator />
      <MenuItem icon={Trash2} danger onSelect={() => removeWithUndo(conversation)}>
        {text.remove}
      </MenuItem>
    </>
  );
}

/** It is named afterwards, in the list. */
async function moveToNewFolder({ id }: Conversation): Promise<void> {
  const folder = await host.call('folders.create', { name: chatStrings.folders.unnamed });
  await chatStore.getState().change(id, { folderId: folder.id });
  if (!chatStore.getState().openFolders.includes(folder.id)) chatStore.getState().toggleFolder(folder.id);
}
