/** One page of a PDF: drawn, with its text over it to be selected and read aloud, and a passage marked. */
import { useEffect, useRef, useState } from 'react';
import type { SpanPlace } from '../../../../host/contract/documents.ts';
import { Notice } from '../../../ui/Notice.tsx';
import { highlightAreas } from '../highlight.ts';
import { usePageContent } from '../hooks/usePageContent.ts';
import type { PageCache } from '../pageCache.ts';
import type { OpenPdf } from '../pdf/openPdf.ts';
import { drawPage } from '../pdf/drawPage.ts';
import { readerStrings as text } from '../strings.ts';

interface PdfPageProps {
  open: OpenPdf | null;
  /** Counted from 1, as pdf.js does. */
  number: number;
  label: string;
  /** In CSS pixels. */
  width: number;
  height: number;
  /** CSS pixels a point. */
  scale: number;
  place: SpanPlace | null;
  cache: PageCache;
}

export function PdfPage({ open, number, label, width, height, scale, place, cache }: PdfPageProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<'drawing' | 'drawn' | 'failed'>('drawing');
  useEffect(() => {
    if (!open || !canvas.current || !layer.current) return undefined;
    const drawing = drawPage(open, number, scale, canvas.current, layer.current);
    drawing.done.then(
      () => setState('drawn'),
      () => !drawing.cancelled && setState('failed'),
    );
    return () => drawing.cancel();
  }, [open, number, scale]);
  return (
    <section aria-label={label} data-testid="pdf-page" data-page={number} data-state={state} className="relative bg-white shadow-[0_1px_3px_rgb(0_0_0/0.25)]" style={{ width, height }}>
      <canvas ref={canvas} aria-hidden className="absolute inset-0 size-full" />
      {place && <Marks place={place} scale={scale} cache={cache} />}
      <div ref={layer} className="textLayer" />
      {state === 'failed' && <Notice tone="warning" message={text.failed.message} remedy={text.failed.remedy} className="absolute inset-x-4 top-4" />}
    </section>
  );
}

const roomPoints = 3;

function Marks({ place, scale, cache }: { place: SpanPlace; scale: number; cache: PageCache }) {
  const content = usePageContent(cache, place.page);
  if (!content) return null;
  return highlightAreas(place.boxes, content.blocks).map(({ x, y, width, height }) => (
    <div
      key={`${x} ${y}`}
      data-testid="reader-mark"
      className="pdf-mark absolute rounded-sm"
      style={{ left: (x - roomPoints) * scale, top: (y - roomPoints) * scale, width: (width + 2 * roomPoints) * scale, height: (height + 2 * roomPoints) * scale }}
    />
  ));
}
