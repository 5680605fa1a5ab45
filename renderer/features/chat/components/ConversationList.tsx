/** All chats, newest first; only the rows in sight exist. Arrow keys move, F2 renames, Delete deletes. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef } from 'react';
import { attempt } from '../../../app/failures.ts';
import { useView, viewStore } from '../../../app/view.ts';
import { listRows } from '../listGroups.ts';
import { chatStore, useChat } from '../store.ts';
import { chatStrings } from '../strings.ts';
import { FolderRow } from './FolderRow.tsx';
import { ConversationRow } from './ConversationRow.tsx';

const rowHeight = 30;
const headingHeight = 28;

export function ConversationList() {
  const conversations = useChat((state) => state.conversations);
  const removing = useChat((state) => state.removing);
  const folders = useChat((state) => state.folders);
  const openFolders = useChat((state) => state.openFolders);
  const more = useChat((state) => state.next !== null);
  const listed = useChat((state) => state.listed);
  const activeId = useChat((state) => state.activeId);
  const onChat = useView((state) => state.screen === 'chat');
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(
    () => listRows({ conversations: conversations.filter(({ id }) => !removing.includes(id)), folders, openFolders }, new Date()),
    [conversations, folders, openFolders, removing],
  );
  // oxlint-disable-next-line react/incompatible-library -- nothing is memoised from it
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (rows[index].kind === 'heading' ? headingHeight : rowHeight),
    getItemKey: (index) => {
      const row = rows[index];
      return row.kind === 'heading' ? row.label : row.kind === 'folder' ? row.folder.id : row.conversation.id;
    },
    overscan: 8,
  });
  const activeIndex = rows.findIndex((row) => row.kind === 'conversation' && row.conversation.id === activeId);
  /** One row is in the tab order; the arrow keys reach the others. */
  const tabIndexRow = activeIndex >= 0 ? activeIndex : rows.findIndex((row) => row.kind !== 'heading');
  const shownTo = virtualizer.getVirtualItems().at(-1)?.index ?? 0;
  const nearEnd = listed && more && shownTo >= rows.length - 20;
  useEffect(() => {
    if (nearEnd) attempt(chatStore.getState().loadMore());
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- a page may end near the end again
  }, [nearEnd, rows.length]);

  const focusFrom = (from: number, step: number) => {
    let index = from + step;
    while (rows[index]?.kind === 'heading') index += step;
    if (!rows[index]) return;
    virtualizer.scrollToIndex(index);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-row="${index}"]`)?.focus());
  };

  if (listed && rows.length === 0) return <p className="flex-1 px-4 py-2 text-faint">{chatStrings.list.empty}</p>;
  return (
    <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto px-2 pb-2">
      <ul aria-label={chatStrings.list.label} className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const row = rows[item.index];
          return (
            <li key={item.key} className="absolute inset-x-0 top-0" style={{ height: item.size, transform: `translateY(${item.start}px)` }}>
              {row.kind === 'heading' ? (
                <h2 className="px-2 pt-2 text-tiny font-medium text-faint">{row.label}</h2>
              ) : row.kind === 'folder' ? (
                <FolderRow folder={row.folder} open={row.open} index={item.index} reachable={item.index === tabIndexRow} onMove={(step) => focusFrom(item.index, step)} />
              ) : (
                <ConversationRow
                  conversation={row.conversation}
                  inFolder={row.inFolder}
                  index={item.index}
                  current={onChat && item.index === activeIndex}
                  reachable={item.index === tabIndexRow}
                  onMove={(step) => focusFrom(item.index, step)}
                  onOpen={() => {
                    viewStore.getState().show('chat');
                    chatStore.getState().open(row.conversation.id);
                  }}
                />
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
