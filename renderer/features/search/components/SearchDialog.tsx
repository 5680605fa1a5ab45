/** Finds chats and passages of documents while one types; arrow keys choose, Enter opens. */
import { FileText, MessageSquareText, MessagesSquare, Search } from 'lucide-react';
import { Dialog as Primitive } from 'radix-ui';
import { type ReactNode, useState } from 'react';
import type { SearchResult, Snippet } from '../../../../host/contract/chatEntities.ts';
import { attempt } from '../../../app/failures.ts';
import { formatAge } from '../../../app/format.ts';
import { useView } from '../../../app/view.ts';
import { Notice } from '../../../ui/Notice.tsx';
import { useListChoice } from '../../../ui/useListChoice.ts';
import { titleOf } from '../../chat/titleOf.ts';
import { openChat, openMessage, openPassage } from '../openFound.ts';
import { searchStrings as text } from '../strings.ts';
import { useSearch } from '../useSearch.ts';

const perGroup = 20;

interface Entry {
  id: string;
  group: keyof typeof text.groups;
  content: ReactNode;
  open(): void;
}

export function SearchDialog() {
  const open = useView((state) => state.searchOpen);
  const setOpen = useView((state) => state.setSearchOpen);
  return (
    <Primitive.Root open={open} onOpenChange={setOpen}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 bg-overlay" />
        <Primitive.Content
          aria-describedby={undefined}
          className="floating appear fixed top-[10vh] left-1/2 z-40 flex max-h-[76vh] w-[min(94vw,44rem)] -translate-x-1/2 flex-col overflow-hidden outline-none"
        >
          <Primitive.Title className="sr-only">{text.title}</Primitive.Title>
          <SearchList close={() => setOpen(false)} />
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

function SearchList({ close }: { close(): void }) {
  const [query, setQuery] = useState('');
  const { result, failure } = useSearch(query, perGroup);
  const entries = result ? entriesOf(result) : [];
  const perform = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    // After the dialog has gone, so that the focus may move.
    setTimeout(() => entry.open());
  };
  const { list, chosen, setChosen, onKeyDown } = useListChoice(entries.length, (index) => perform(entries[index]));
  return (
    <>
      <div className="flex shrink-0 items-center gap-2.5 border-b border-line px-4">
        <Search size={15} className="text-quiet" aria-hidden />
        <input
          role="combobox"
          aria-expanded
          aria-controls={list}
          aria-activedescendant={entries[chosen] ? `${list}-${chosen}` : undefined}
          aria-label={text.title}
          placeholder={text.placeholder}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setChosen(0);
          }}
          onKeyDown={onKeyDown}
          className="h-11 w-full text-body outline-none focus-visible:outline-none"
        />
      </div>
      <div id={list} role="listbox" aria-label={text.title} className="min-h-0 overflow-y-auto p-1.5">
        {entries.map((entry, index) => (
          <div key={entry.id} role="presentation">
            {entry.group !== entries[index - 1]?.group && (
              <div role="presentation" className="px-2.5 pt-2 pb-1 text-tiny font-medium text-faint">
                {text.groups[entry.group]}
              </div>
            )}
            <button
              type="button"
              tabIndex={-1}
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === chosen}
              data-testid="search-result"
              onPointerMove={() => setChosen(index)}
              onClick={() => perform(entry)}
              className="flex w-full items-start gap-2.5 rounded-md px-2.5 py-1.5 text-left aria-selected:bg-pressed"
            >
              {entry.content}
            </button>
          </div>
        ))}
      </div>
      {failure && <Notice tone="danger" className="m-3" message={failure.message} remedy={failure.remedy} />}
      <p role="status" className="shrink-0 px-4 py-2.5 text-small text-quiet">
        {result ? (entries.length === 0 ? text.nothing : text.found(entries.length)) : text.hint}
        {result && result.documentsWaiting > 0 && ` ${text.waiting(result.documentsWaiting)}`}
      </p>
    </>
  );
}

function entriesOf({ chats, messages, documents }: SearchResult): Entry[] {
  const now = Date.now();
  return [
    ...chats.map(({ conversationId, title, updatedAtMs }): Entry => ({
      id: `chat ${conversationId}`,
      group: 'chats',
      content: <Line icon={<MessagesSquare size={14} strokeWidth={1.75} aria-hidden />} title={titleOf(title)} detail={formatAge(updatedAtMs, now)} />,
      open: () => openChat(conversationId),
    })),
    ...messages.map((message): Entry => ({
      id: `message ${message.messageId}`,
      group: 'messages',
      content: (
        <Line
          icon={<MessageSquareText size={14} strokeWidth={1.75} aria-hidden />}
          title={titleOf(message.title)}
          detail={`${text.roles[message.role]} · ${formatAge(message.createdAtMs, now)}`}
          snippet={message.snippet}
        />
      ),
      open: () => attempt(openMessage(message)),
    })),
    ...documents.map((passage): Entry => ({
      id: `document ${passage.documentId} ${passage.start}`,
      group: 'documents',
      content: <Line icon={<FileText size={14} strokeWidth={1.75} aria-hidden />} title={passage.name} snippet={passage.snippet} />,
      open: () => openPassage(passage),
    })),
  ];
}

function Line({ icon, title, detail, snippet }: { icon: ReactNode; title: string; detail?: string; snippet?: Snippet }) {
  return (
    <>
      <span className="mt-0.5 text-faint">{icon}</span>
      <span className="min-w-0 flex-1">
        <span className="flex items-baseline gap-3">
          <span className="truncate font-medium">{title}</span>
          {detail && <span className="ml-auto shrink-0 text-tiny text-quiet">{detail}</span>}
        </span>
        {snippet && <span className="line-clamp-2 text-small text-quiet">{snippet.map(({ text: piece, found }, index) => marked(piece, found, index))}</span>}
      </span>
    </>
  );
}

function marked(piece: string, found: boolean, index: number) {
  return found ? (
    <mark key={index} className="rounded-sm bg-accent-soft text-text">
      {piece}
    </mark>
  ) : (
    piece
  );
}
