/** A document beside the chat, over it where the window is narrow: its pages as they are, or its text. */
import { Maximize2, Minimize2, X } from 'lucide-react';
import { clsx } from 'clsx';
import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import type { DocumentRecord } from '../../../../host/contract/entities.ts';
import { viewStore } from '../../../app/view.ts';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { useFocusWhenShown } from '../../../ui/useFocusWhenShown.ts';
import { useLibrary } from '../../library/store.ts';
import { LiveRibbon } from '../../inspector/components/LiveRibbon.tsx';
import { DocumentReading } from '../../readings/components/DocumentReading.tsx';
import { useStructure } from '../hooks/useStructure.ts';
import { PageCache } from '../pageCache.ts';
import { readerStore, useReader } from '../store.ts';
import { readerStrings as text } from '../strings.ts';
import { Facts } from './Facts.tsx';
import { PagesView } from './PagesView.tsx';
import { ReaderToolbar } from './ReaderToolbar.tsx';
import { TextView } from './TextView.tsx';

function closeReader(): void {
  readerStore.getState().close();
  viewStore.getState().focusComposer();
}

/** Escape closes the reader while the focus is in it; elsewhere it stops the answer. */
function useEscapeIn(pane: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = pane.current;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      event.preventDefault();
      closeReader();
    };
    element?.addEventListener('keydown', onKeyDown);
    return () => element?.removeEventListener('keydown', onKeyDown);
  }, [pane]);
}

export function ReaderPane({ documentId }: { documentId: string }) {
  const document = useLibrary((state) => state.documents[documentId]);
  const wide = useReader((state) => state.wide);
  const view = useReader((state) => state.view);
  const heading = useFocusWhenShown<HTMLHeadingElement>();
  const pane = useRef<HTMLElement>(null);
  useEscapeIn(pane);
  if (!document) return null;
  const paged = document.format === 'pdf';
  return (
    <aside
      aria-label={text.label(document.name)}
      data-testid="preview"
      ref={pane}
      className={clsx(
        'flex shrink-0 flex-col border-l border-line bg-canvas max-lg:absolute max-lg:inset-y-0 max-lg:right-0 max-lg:z-20 max-lg:shadow-[var(--elevation)]',
        wide ? 'w-[62%] max-lg:w-full' : 'w-[min(27rem,40%)] max-lg:w-[min(28rem,100%)]',
      )}
    >
      <header className="shrink-0 border-b border-line px-4 pt-2 pb-2.5">
        <div className="flex items-center gap-1">
          <h2 ref={heading} tabIndex={-1} className="min-w-0 flex-1 truncate text-body font-semibold outline-none">
            {document.name}
          </h2>
          <IconButton icon={wide ? Minimize2 : Maximize2} label={wide ? text.narrow : text.widen} onClick={() => readerStore.getState().setWide(!wide)} />
          <IconButton icon={X} label={text.close} onClick={closeReader} />
        </div>
        <Facts document={document} />
        <p className="mt-1 text-small text-faint">{paged && view === 'pages' ? text.pagesSubtitle : text.subtitle}</p>
        <DocumentReading documentId={document.id} name={document.name} />
        <LiveRibbon documentId={document.id} />
        {document.notices.map((notice) => (
          <Notice key={notice} tone="warning" message={notice} className="mt-2" />
        ))}
      </header>
      <Content key={documentId} document={document} paged={paged} />
    </aside>
  );
}

function Content({ document, paged }: { document: DocumentRecord; paged: boolean }) {
  const view = useReader((state) => state.view);
  const { structure, failure } = useStructure(document.id);
  const [page, setPage] = useState(0);
  const cache = useMemo(() => new PageCache(document.id), [document.id]);
  if (failure) return <Notice tone="danger" message={failure.message} remedy={failure.remedy} className="m-4" />;
  if (!structure) {
    return (
      <div className="p-5">
        <Spinner />
      </div>
    );
  }
  return (
    <>
      <ReaderToolbar documentId={document.id} structure={structure} page={page} paged={paged} />
      {paged && view === 'pages' ? (
        <PagesView document={document} structure={structure} cache={cache} onPage={setPage} />
      ) : (
        <TextView structure={structure} cache={cache} onPage={setPage} />
      )}
    </>
  );
}
