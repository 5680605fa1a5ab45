/** The list of chats flat, as a virtual list wants it: pinned ones, folders with what is in them, the others by age. */
import type { Folder } from '../../../host/contract/chatEntities.ts';
import type { Conversation } from '../../../host/contract/entities.ts';
import { chatStrings } from './strings.ts';

export type ListRow =
  | { kind: 'heading'; label: string }
  | { kind: 'folder'; folder: Folder; open: boolean }
  | { kind: 'conversation'; conversation: Conversation; inFolder: boolean };

const dayMs = 86_400_000;

function groupOf(updatedAtMs: number, startOfToday: number): string {
  const { groups } = chatStrings.list;
  if (updatedAtMs >= startOfToday) return groups.today;
  if (updatedAtMs >= startOfToday - dayMs) return groups.yesterday;
  if (updatedAtMs >= startOfToday - 7 * dayMs) return groups.week;
  if (updatedAtMs >= startOfToday - 30 * dayMs) return groups.month;
  return groups.older;
}

export interface ListContent {
  /** Newest first. */
  conversations: readonly Conversation[];
  folders: readonly Folder[];
  openFolders: readonly string[];
}

export function listRows({ conversations, folders, openFolders }: ListContent, now: Date): ListRow[] {
  const startOfToday = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const rows: ListRow[] = [];
  const pinned = conversations.filter((conversation) => conversation.pinned);
  if (pinned.length > 0) rows.push({ kind: 'heading', label: chatStrings.list.groups.pinned });
  for (const conversation of pinned) rows.push({ kind: 'conversation', conversation, inFolder: false });
  if (folders.length > 0) rows.push({ kind: 'heading', label: chatStrings.list.groups.folders });
  for (const folder of folders) {
    const open = openFolders.includes(folder.id);
    rows.push({ kind: 'folder', folder, open });
    if (!open) continue;
    for (const conversation of conversations) {
      if (conversation.folderId === folder.id && !conversation.pinned) rows.push({ kind: 'conversation', conversation, inFolder: true });
    }
  }
  let group = '';
  for (const conversation of conversations) {
    if (conversation.pinned || conversation.folderId !== null) continue;
    const next = groupOf(conversation.updatedAtMs, startOfToday);
    if (next !== group) rows.push({ kind: 'heading', label: next });
    group = next;
    rows.push({ kind: 'conversation', conversation, inFolder: false });
  }
  return rows;
}
