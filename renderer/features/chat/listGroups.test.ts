import { expect, it } from 'vitest';
import { conversationOf } from '../../testing/scriptedHost.ts';
import { listRows } from './listGroups.ts';

const now = new Date(2026, 4, 20, 12);
const daysAgo = (days: number) => new Date(2026, 4, 20 - days, 11).getTime();
const folder = (id: string) => ({ id, name: `Folder ${id}`, createdAtMs: 1 });

it('has pinned chats first, then folders with what is in the open ones, then the others by age', () => {
  const conversations = [
    conversationOf('new', { updatedAtMs: daysAgo(0) }),
    conversationOf('filed', { updatedAtMs: daysAgo(0), folderId: 'b' }),
    conversationOf('hidden', { updatedAtMs: daysAgo(0), folderId: 'a' }),
    conversationOf('pinned', { updatedAtMs: daysAgo(3), pinned: true, folderId: 'b' }),
    conversationOf('old', { updatedAtMs: daysAgo(90) }),
  ];
  const rows = listRows({ conversations, folders: [folder('a'), folder('b')], openFolders: ['b'] }, now);
  expect(rows.map((row) => (row.kind === 'heading' ? row.label : row.kind === 'folder' ? row.folder.name : row.conversation.id))).toEqual([
    'Pinned', 'pinned', 'Folders', 'Folder a', 'Folder b', 'filed', 'Today', 'new', 'Older', 'old',
  ]);
});
