/** The part of a long conversation that is in sight, at the height of all of it. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useMadeInTime } from '../hooks/useMadeInTime.ts';

interface VirtualTurnsProps {
  scroller: RefObject<HTMLDivElement | null>;
  path: readonly string[];
  renderTurn(index: number): ReactNode;
  /** A message to be brought into sight. */
  wanted: string | null;
}

/** A guess until an answer was in sight for the first time. */
const usualHeight = 160;

export function VirtualTurns({ scroller, path, renderTurn, wanted }: VirtualTurnsProps) {
  const place = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => setOffset(place.current?.offsetTop ?? 0), []);
  // oxlint-disable-next-line react/incompatible-library -- nothing is memoised from it
  const virtualizer = useVirtualizer({
    count: path.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => usualHeight,
    getItemKey: (index) => path[index],
    scrollMargin: offset,
    overscan: 4,
    // It is opened at its end.
    initialOffset: path.length * usualHeight,
  });
  const wantedIndex = wanted === null ? -1 : path.indexOf(wanted);
  useEffect(() => {
    if (wantedIndex >= 0) virtualizer.scrollToIndex(wantedIndex, { align: 'start' });
  }, [wantedIndex, virtualizer]);
  const items = virtualizer.getVirtualItems();
  const middle = (virtualizer.scrollOffset ?? 0) + (virtualizer.scrollRect?.height ?? 0) / 2;
  const fromMiddle = items.toSorted((a, b) => Math.abs(a.start + a.size / 2 - middle) - Math.abs(b.start + b.size / 2 - middle));
  const lastTop = useRef(0);
  /** Half of what is in sight goes by in a frame. */
  const hurries = () => {
    const { scrollTop = 0, clientHeight = 0 } = scroller.current ?? {};
    const moved = Math.abs(scrollTop - lastTop.current);
    lastTop.current = scrollTop;
    return moved > clientHeight / 2;
  };
  const made = useMadeInTime(fromMiddle.map(({ key }) => String(key)), hurries);
  return (
    <div ref={place} className="virtual-turns relative" style={{ height: virtualizer.getTotalSize() }}>
      {items.map(({ index, key, start, size }) => (
        <div key={key} ref={virtualizer.measureElement} data-index={index} className="absolute inset-x-0 top-0 flow-root" style={{ transform: `translateY(${start - offset}px)` }}>
          {made(String(key)) ? renderTurn(index) : <div style={{ height: size }} />}
        </div>
      ))}
    </div>
  );
}
