/** Every command and every chat, by a few letters. */
import { MessageSquareText } from 'lucide-react';
import { Dialog as Primitive } from 'radix-ui';
import type { SearchResult } from '../../host/contract/chatEntities.ts';
import { useMemo, useState } from 'react';
import { titleOf } from '../features/chat/titleOf.ts';
import { openChat } from '../features/search/openFound.ts';
import { useSearch } from '../features/search/useSearch.ts';
import { Shortcut } from '../ui/Shortcut.tsx';
import { useListChoice } from '../ui/useListChoice.ts';
import { actions } from './actions/actions.ts';
import { strings } from './strings.ts';
import { useView } from './view.ts';

interface Entry {
  id: string;
  label: string;
  keys?: string;
  isChat: boolean;
  perform(): void;
}

const chatsShown = 20;

function entriesFor(query: string, chats: SearchResult['chats']): Entry[] {
  const commands = actions
    .search(query)
    .filter(({ id }) => id !== 'palette.open')
    .map(({ id, label, perform }): Entry => ({ id, label, keys: actions.keysOf(id), isChat: false, perform }));
  const found = chats.map(({ conversationId, title }): Entry => ({
    id: `chat-${conversationId}`,
    label: titleOf(title),
    isChat: true,
    perform: () => openChat(conversationId),
  }));
  return [...commands, ...found];
}

export function CommandPalette() {
  const open = useView((state) => state.paletteOpen);
  const setOpen = useView((state) => state.setPaletteOpen);
  return (
    <Primitive.Root open={open} onOpenChange={setOpen}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 bg-overlay" />
        <Primitive.Content
          aria-describedby={undefined}
          // A command may have moved the focus itself: it is not given back.
          onCloseAutoFocus={(event) => event.preventDefault()}
          className="floating appear fixed top-[12vh] left-1/2 z-40 flex max-h-[70vh] w-[min(92vw,34rem)] -translate-x-1/2 flex-col overflow-hidden outline-none"
        >
          <Primitive.Title className="sr-only">{strings.palette.title}</Primitive.Title>
          <PaletteList close={() => setOpen(false)} />
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

function PaletteList({ close }: { close(): void }) {
  const [query, setQuery] = useState('');
  const { result } = useSearch(query, chatsShown);
  const entries = useMemo(() => entriesFor(query, result?.chats ?? []), [query, result]);
  const perform = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    // After the dialog has gone, so that the command may move the focus.
    setTimeout(entry.perform);
  };
  const { list, chosen, setChosen, onKeyDown } = useListChoice(entries.length, (index) => perform(entries[index]));
  return (
    <>
      <input
        role="combobox"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={entries[chosen] ? `${list}-${chosen}` : undefined}
        aria-label={strings.palette.title}
        placeholder={strings.palette.placeholder}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
        className="h-11 w-full shrink-0 border-b border-line px-4 text-body outline-none focus-visible:outline-none"
      />
      <div id={list} role="listbox" aria-label={strings.palette.title} className="min-h-0 overflow-y-auto p-1.5">
        {entries.map((entry, index) => (
          <button
            type="button"
            tabIndex={-1}
            key={entry.id}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === chosen}
            onPointerMove={() => setChosen(index)}
            onClick={() => perform(entry)}
            className="flex h-8 w-full items-center gap-2 rounded-md px-2.5 text-left aria-selected:bg-pressed"
          >
            {entry.isChat && <MessageSquareText size={14} strokeWidth={1.75} className="text-faint" aria-hidden />}
            <span className="flex-1 truncate">{entry.label}</span>
            {entry.keys && <Shortcut keys={entry.keys} />}
          </button>
        ))}
      </div>
      {entries.length === 0 && <p className="px-4 py-5 text-center text-quiet">{strings.palette.nothing}</p>}
    </>
  );
}
