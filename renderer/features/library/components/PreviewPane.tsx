/** The extracted text of a document, beside the chat; over it where the window is narrow. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { X } from 'lucide-react';
import { type ReactNode, type RefObject, useEffect, useRef } from 'react';
import type { DocumentRecord } from '../../../../host/contract/entities.ts';
import { formatBytes, formatCount } from '../../../app/format.ts';
import { viewStore } from '../../../app/view.ts';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { ScrollRegion } from '../../../ui/ScrollRegion.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { useFocusWhenShown } from '../../../ui/useFocusWhenShown.ts';
import { useActiveModel } from '../../chat/hooks/useChatContext.ts';
import { DocumentReading } from '../../readings/components/DocumentReading.tsx';
import { useDocumentText } from '../hooks/useDocumentText.ts';
import { useTokenCount } from '../hooks/useTokenCount.ts';
import { libraryStore, useLibrary } from '../store.ts';
import { libraryStrings } from '../strings.ts';

const text = libraryStrings.preview;

function closePreview(): void {
  libraryStore.getState().preview(null);
  viewStore.getState().focusComposer();
}

/** Escape closes the preview while the focus is in it; elsewhere it stops the answer. */
function useEscapeIn(pane: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = pane.current;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      event.preventDefault();
      closePreview();
    };
    element?.addEventListener('keydown', onKeyDown);
    return () => element?.removeEventListener('keydown', onKeyDown);
  }, [pane]);
}

export function PreviewPane({ documentId }: { documentId: string }) {
  const document = useLibrary((state) => state.documents[documentId]);
  const heading = useFocusWhenShown<HTMLHeadingElement>();
  const pane = useRef<HTMLElement>(null);
  useEscapeIn(pane);
  if (!document) return null;
  return (
    <aside
      aria-label={text.label(document.name)}
      data-testid="preview"
      ref={pane}
      className="flex w-[min(27rem,40%)] shrink-0 flex-col border-l border-line bg-canvas max-lg:absolute max-lg:inset-y-0 max-lg:right-0 max-lg:z-20 max-lg:w-[min(28rem,100%)] max-lg:shadow-[var(--elevation)]"
    >
      <header className="shrink-0 border-b border-line px-4 pt-2 pb-2.5">
        <div className="flex items-center gap-2">
          <h2 ref={heading} tabIndex={-1} className="min-w-0 flex-1 truncate text-body font-semibold outline-none">
            {document.name}
          </h2>
          <IconButton icon={X} label={text.close} onClick={closePreview} />
        </div>
        <Facts document={document} />
        <DocumentReading documentId={document.id} name={document.name} />
        {document.notices.map((notice) => (
          <Notice key={notice} tone="warning" message={notice} className="mt-2" />
        ))}
      </header>
      <DocumentText key={documentId} documentId={documentId} />
    </aside>
  );
}

function Facts({ document }: { document: DocumentRecord }) {
  const model = useActiveModel();
  const tokens = useTokenCount(document.id, model?.id ?? null);
  return (
    <>
      <dl className="selectable mt-1 flex flex-wrap gap-x-5 gap-y-0.5 text-small tabular-nums">
        <Fact label={text.characters}>{formatCount(document.characters)}</Fact>
        <Fact label={text.tokens}>{tokens === null ? (model ? text.counting : text.noModel) : formatCount(tokens)}</Fact>
        <Fact label={text.size}>{formatBytes(document.sizeBytes)}</Fact>
      </dl>
      <p className="mt-1 text-small text-faint">{text.subtitle}</p>
    </>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex gap-1.5">
      <dt className="text-faint">{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function DocumentText({ documentId }: { documentId: string }) {
  const { paragraphs, complete, failure } = useDocumentText(documentId);
  const scroller = useRef<HTMLDivElement>(null);
  // oxlint-disable-next-line react/incompatible-library -- nothing is memoised from it
  const virtualizer = useVirtualizer({
    count: paragraphs.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => 24 * Math.max(1, Math.ceil(paragraphs[index].length / 48)) + 12,
    overscan: 4,
  });
  if (failure) return <Notice tone="danger" message={failure.message} remedy={failure.remedy} className="m-4" />;
  return (
    <ScrollRegion ref={scroller} label={text.extracted} className="flex-1 px-5 py-4">
      {paragraphs.length === 0 && (complete ? <p className="text-quiet">{text.empty}</p> : <Spinner />)}
      <div className="prose selectable relative text-[0.9375rem]!" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => (
          <p
            key={item.key}
            ref={virtualizer.measureElement}
            data-index={item.index}
            className="absolute inset-x-0 top-0 m-0! pb-3 whitespace-pre-line"
            style={{ transform: `translateY(${item.start}px)` }}
          >
            {paragraphs[item.index]}
          </p>
        ))}
      </div>
    </ScrollRegion>
  );
}
