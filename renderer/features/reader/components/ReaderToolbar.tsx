/** Where one is in the document, and the ways to go elsewhere in it. */
import { ListTree } from 'lucide-react';
import { type KeyboardEvent, useState } from 'react';
import type { DocumentStructure } from '../../../../host/contract/documents.ts';
import { formatCount } from '../../../app/format.ts';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Popover } from '../../../ui/Popover.tsx';
import { Segmented } from '../../../ui/Segmented.tsx';
import { FindField } from './FindField.tsx';
import { readerStore, useReader } from '../store.ts';
import { readerStrings as text } from '../strings.ts';

interface ReaderToolbarProps {
  documentId: string;
  structure: DocumentStructure;
  /** Counted from 0. */
  page: number;
  /** Whether it has pages to look at. */
  paged: boolean;
}

const views = (['pages', 'text'] as const).map((value) => ({ value, label: text.view[value] }));

export function ReaderToolbar({ documentId, structure, page, paged }: ReaderToolbarProps) {
  const view = useReader((state) => state.view);
  return (
    <div className="flex h-10 shrink-0 items-center gap-2 border-b border-line px-3">
      <Contents structure={structure} />
      {structure.pages.length > 1 && <PageField structure={structure} page={page} />}
      <FindField documentId={documentId} />
      {paged && <Segmented label={text.views} value={view} options={views} onChange={readerStore.getState().setView} />}
    </div>
  );
}

function PageField({ structure: { pages, unit }, page }: Pick<ReaderToolbarProps, 'structure' | 'page'>) {
  // What is being typed stays while pages go by; null: the page that is looked at.
  const [typed, setTyped] = useState<string | null>(null);
  const go = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return;
    const wanted = typed === null ? undefined : pages[Number(typed) - 1];
    if (wanted) readerStore.getState().goTo(wanted.start);
    setTyped(null);
  };
  return (
    <label className="flex items-center gap-1.5 text-small text-quiet tabular-nums">
      <span>{text.unit(unit)}</span>
      <input
        aria-label={text.goTo(unit)}
        inputMode="numeric"
        value={typed ?? String(page + 1)}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={go}
        onBlur={() => setTyped(null)}
        onFocus={(event) => event.target.select()}
        className="h-6 w-11 rounded-md border border-line-strong bg-raised px-1.5 text-center text-text"
      />
      <span data-testid="page-count">{text.of(formatCount(pages.length))}</span>
    </label>
  );
}

function Contents({ structure: { headings } }: { structure: DocumentStructure }) {
  const [open, setOpen] = useState(false);
  if (headings.length === 0) return null;
  const go = (start: number) => {
    setOpen(false);
    readerStore.getState().goTo(start);
  };
  return (
    <Popover label={text.contents} open={open} onOpenChange={setOpen} align="start" className="w-80 p-1.5" trigger={<IconButton icon={ListTree} label={text.contents} />}>
      <ul aria-label={text.contents}>
        {headings.map(({ title, level, start }) => (
          <li key={start}>
            <button
              type="button"
              className="w-full truncate rounded-md px-2 py-1 text-left hover:bg-hover"
              style={{ paddingLeft: `${0.5 + 0.75 * (level - 1)}rem` }}
              onClick={() => go(start)}
            >
              {title}
            </button>
          </li>
        ))}
      </ul>
    </Popover>
  );
}
