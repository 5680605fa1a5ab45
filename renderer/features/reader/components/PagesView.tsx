/** The pages of a PDF as they are, in a virtual list; a passage is marked where it stands. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import type { DocumentPage, DocumentStructure, SpanPlace } from '../../../../host/contract/documents.ts';
import type { DocumentRecord } from '../../../../host/contract/entities.ts';
import { host } from '../../../app/connection/session.ts';
import { Notice } from '../../../ui/Notice.tsx';
import { ScrollRegion } from '../../../ui/ScrollRegion.tsx';
import { useContentWidth } from '../hooks/useContentWidth.ts';
import { usePdf } from '../hooks/usePdf.ts';
import type { PageCache } from '../pageCache.ts';
import { pageAt } from '../slices.ts';
import { useReader } from '../store.ts';
import { readerStrings as text } from '../strings.ts';
import { PdfPage } from './PdfPage.tsx';

interface PagesViewProps {
  document: DocumentRecord;
  structure: DocumentStructure;
  cache: PageCache;
  /** Told which page is looked at, from 0. */
  onPage(page: number): void;
}

const marginPixels = 12;
/** Where most readers' letters lie, should a page not say its size. */
const letter = { width: 612, height: 792 };
/** The page that lies this far below the upper edge is the one that is looked at. */
const glancePixels = 120;
const noPlaces: SpanPlace[] = [];

export function PagesView({ document, structure, cache, onPage }: PagesViewProps) {
  const { pages } = structure;
  const { open, failure } = usePdf(document.id);
  const target = useReader((state) => state.target);
  const [places, setPlaces] = useState<{ wish: number; places: SpanPlace[] }>({ wish: 0, places: noPlaces });
  const scroller = useRef<HTMLDivElement>(null);
  const width = useContentWidth(scroller) - 2 * marginPixels;
  const followed = useRef(0);
  // oxlint-disable-next-line react/incompatible-library -- nothing is memoised from it
  const virtualizer = useVirtualizer({
    count: width > 0 ? pages.length : 0,
    getScrollElement: () => scroller.current,
    estimateSize: (page) => Math.ceil(shapeOf(pages[page], width).height) + marginPixels,
    paddingStart: marginPixels,
    overscan: 1,
  });
  const lastHeight = useRef(0);
  // Heights follow the width; what was looked at stays in sight.
  // oxlint-disable-next-line react/exhaustive-effect-dependencies -- the width itself is what matters
  useEffect(() => {
    const share = lastHeight.current > 0 ? (scroller.current?.scrollTop ?? 0) / lastHeight.current : 0;
    virtualizer.measure();
    lastHeight.current = virtualizer.getTotalSize();
    if (share > 0) virtualizer.scrollToOffset(share * lastHeight.current);
  }, [virtualizer, width]);
  const page = virtualizer.getVirtualItemForOffset((virtualizer.scrollOffset ?? 0) + glancePixels)?.index ?? 0;
  useEffect(() => onPage(page), [onPage, page]);

  useEffect(() => {
    // A wish is followed once; not again when the width changes.
    if (!target || width <= 0 || followed.current === target.wish) return undefined;
    let wanted = true;
    const follow = async () => {
      const found = await host.call('documents.locate', { documentId: document.id, start: target.start, end: target.end });
      if (!wanted) return;
      followed.current = target.wish;
      const page = found[0]?.page ?? pageAt(pages, target.start);
      setPlaces({ wish: target.wish, places: target.marked ? found : noPlaces });
      const [start] = virtualizer.getOffsetForIndex(page, 'start') ?? [0];
      const box = target.marked || target.start !== pages[page].start ? found[0]?.boxes[0] : undefined;
      const height = scroller.current?.clientHeight ?? 0;
      virtualizer.scrollToOffset(box ? start + box.y * shapeOf(pages[page], width).scale - height / 3 : start - marginPixels);
    };
    // Without its place the document stays where it is.
    follow().catch(() => undefined);
    return () => {
      wanted = false;
    };
  }, [target, document.id, pages, width, virtualizer]);

  if (failure) return <Notice tone="danger" message={failure.message} remedy={failure.remedy} className="m-4" />;
  const shown = places.wish === target?.wish ? places.places : noPlaces;
  return (
    <ScrollRegion ref={scroller} label={text.pagesOf(document.name)} className="flex-1 bg-sunken">
      <div className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => (
          <div key={item.key} className="absolute top-0 left-0" style={{ transform: `translate(${marginPixels}px, ${item.start}px)` }}>
            <PdfPage
              open={open}
              number={item.index + 1}
              label={text.pageLabel('page', pages[item.index].label)}
              {...shapeOf(pages[item.index], width)}
              place={shown.find(({ page }) => page === item.index) ?? null}
              cache={cache}
            />
          </div>
        ))}
      </div>
    </ScrollRegion>
  );
}

/** A page as wide as the pane, in CSS pixels; `scale` is CSS pixels a point. */
function shapeOf({ size }: DocumentPage, width: number): { width: number; height: number; scale: number } {
  const { width: pageWidth, height } = size ?? letter;
  return { width, height: (height * width) / pageWidth, scale: width / pageWidth };
}
