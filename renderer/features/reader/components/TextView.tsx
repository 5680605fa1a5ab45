/** The extracted text, block by block, in a virtual list of stretches of pages. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef } from 'react';
import type { DocumentStructure } from '../../../../host/contract/documents.ts';
import { ScrollRegion } from '../../../ui/ScrollRegion.tsx';
import type { PageCache } from '../pageCache.ts';
import { pageAt, slicesOf } from '../slices.ts';
import { useReader } from '../store.ts';
import { readerStrings as text } from '../strings.ts';
import { TextSlice } from './TextSlice.tsx';

interface TextViewProps {
  structure: DocumentStructure;
  cache: PageCache;
  /** Told which page is looked at, from 0. */
  onPage(page: number): void;
}

/** The row that lies this far below the upper edge is the one that is looked at. */
const glancePixels = 60;
/** How long the place of a passage is kept in sight while rows above it get their heights. */
const settlingFrames = 60;
const stillFrames = 8;

export function TextView({ structure, cache, onPage }: TextViewProps) {
  const target = useReader((state) => state.target);
  const slices = useMemo(() => slicesOf(structure.pages), [structure]);
  const scroller = useRef<HTMLDivElement>(null);
  // oxlint-disable-next-line react/incompatible-library -- nothing is memoised from it
  const virtualizer = useVirtualizer({
    count: slices.length,
    getScrollElement: () => scroller.current,
    // Lines of about fifty characters, and something between blocks.
    estimateSize: (index) => 40 + Math.ceil((slices[index].end - slices[index].start) / 45) * 25,
    overscan: 1,
  });

  useEffect(() => {
    if (!target) return undefined;
    let frame = 0;
    let handle = 0;
    let still = 0;
    let lastTop = NaN;
    let row = 0;
    const settle = () => {
      const mark = scroller.current?.querySelector('[data-reader-target]');
      if (mark) {
        mark.scrollIntoView({ block: target.marked ? 'center' : 'start' });
        const { top } = mark.getBoundingClientRect();
        still = Math.abs(top - lastTop) < 1 ? still + 1 : 0;
        lastTop = top;
      } else virtualizer.scrollToIndex(row, { align: 'start' });
      frame += 1;
      if (frame < settlingFrames && still < stillFrames) handle = requestAnimationFrame(settle);
    };
    const page = pageAt(structure.pages, target.start);
    let wanted = true;
    const follow = async () => {
      const { blocks } = await cache.load(page);
      if (!wanted) return;
      const at = blocks.find(({ end }) => end > target.start)?.start ?? target.start;
      row = Math.max(0, slices.findLastIndex((slice) => slice.page === page && slice.start <= at));
      settle();
    };
    // A page that cannot be loaded says so where it is shown.
    follow().catch(() => undefined);
    return () => {
      wanted = false;
      cancelAnimationFrame(handle);
    };
  }, [target, structure, cache, slices, virtualizer]);

  const page = slices[virtualizer.getVirtualItemForOffset((virtualizer.scrollOffset ?? 0) + glancePixels)?.index ?? 0]?.page ?? 0;
  useEffect(() => onPage(page), [onPage, page]);
  return (
    <ScrollRegion ref={scroller} label={text.extracted} className="flex-1 px-5 py-4">
      <div className="prose selectable relative text-[0.9375rem]!" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => (
          <div
            key={item.key}
            ref={virtualizer.measureElement}
            data-index={item.index}
            className="absolute inset-x-0 top-0 m-0!"
            style={{ transform: `translateY(${item.start}px)` }}
          >
            <TextSlice slice={slices[item.index]} structure={structure} cache={cache} target={target} />
          </div>
        ))}
      </div>
    </ScrollRegion>
  );
}
