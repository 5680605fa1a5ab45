/** The map: tokens of the answer down, the prompt across; pan, zoom, and the texts under the pointer. */
import { Maximize, ZoomIn, ZoomOut } from 'lucide-react';
import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { AnswerEvidence, HeadChoice, Retrieval } from '../../../../host/contract/inspection.ts';
import { host } from '../../../app/connection/session.ts';
import { failureOf } from '../../../app/failures.ts';
import { Button } from '../../../ui/Button.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { DifferenceTiles, type TileSource } from '../differenceTiles.ts';
import { drawMap, type MapView } from '../drawMap.ts';
import { savePicture, saveVector } from '../exportMap.ts';
import { levelFor, MapTiles, placesFor, tileColumns, tileRows } from '../mapTiles.ts';
import { openPassage } from '../openPassage.ts';
import { placeOf } from '../profile.ts';
import { inspectorStore, useInspector } from '../store.ts';
import { inspectorStrings } from '../strings.ts';
import { Legend } from './Legend.tsx';
import { PromptSnippet } from './PromptSnippet.tsx';
import { MapStrips } from './RetrievalStrips.tsx';

const text = inspectorStrings.map;
const labelPixels = 14;
/** Fewest tokens that are shown across. */
const closestTokens = 16;

interface Cross {
  row: number;
  key: number;
}

interface AttentionMapProps {
  messageId: string;
  evidence: AnswerEvidence;
  answer: string;
  heads: HeadChoice;
  /** Shown below the columns. */
  retrieval?: Retrieval | null;
  /** Another answer to the same prompt that is taken away from this one; `common`: tokens that both begin with. */
  against?: { messageId: string; rows: number; common: number };
}

export function AttentionMap({ messageId, evidence, answer, heads, retrieval = null, against }: AttentionMapProps) {
  const rows = Math.min(evidence.tokens.length, against?.rows ?? Infinity);
  const keys = evidence.promptTokens + rows - 1;
  const reducer = useInspector((state) => state.reducer);
  const chosen = useInspector((state) => state.window);
  const shownKeys = useMemo(() => chosen ?? { fromKey: 0, toKey: keys }, [chosen, keys]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [, setVersion] = useState(0);
  const [cross, setCross] = useState<Cross | null>(null);
  const redraw = useCallback(() => setVersion((version) => version + 1), []);
  const otherId = against?.messageId;
  const tiles = useMemo((): TileSource => {
    const of = (id: string): MapTiles => new MapTiles(host, { messageId: id, heads, extent: { rows, keys }, asDecoded: otherId !== undefined }, redraw);
    return otherId === undefined ? of(messageId) : new DifferenceTiles(of(messageId), of(otherId));
  }, [messageId, otherId, heads, rows, keys, redraw]);
  useEffect(() => () => tiles.close(), [tiles]);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(([entry]) => setSize({ width: Math.round(entry.contentRect.width), height: Math.round(entry.contentRect.height) }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const level = levelFor(shownKeys.toKey - shownKeys.fromKey, size.width);
  const view: MapView = { ...size, ...shownKeys, rows, level, reducer, divergesAt: against?.common };
  useEffect(() => {
    if (size.width === 0) return;
    tiles.want(placesFor(level, shownKeys, rows));
  }, [tiles, level, shownKeys, rows, size.width]);
  useEffect(() => {
    if (canvas.current && size.width > 0) drawMap(canvas.current, view, tiles, cross);
  });

  const move = (fromKey: number, span: number): void => {
    const width = Math.min(keys, Math.max(closestTokens, span));
    const from = Math.min(Math.max(0, fromKey), keys - width);
    inspectorStore.getState().choose({ window: width >= keys ? null : { fromKey: from, toKey: from + width } });
  };
  const span = shownKeys.toKey - shownKeys.fromKey;
  const zoom = (factor: number, at = (shownKeys.fromKey + shownKeys.toKey) / 2): void => move(at - (at - shownKeys.fromKey) * factor, span * factor);
  const place = (event: PointerEvent | WheelEvent): Cross => {
    const box = canvas.current?.getBoundingClientRect();
    const x = box ? (event.clientX - box.left) / Math.max(1, box.width) : 0;
    const y = box ? (event.clientY - box.top) / Math.max(1, box.height) : 0;
    return { row: Math.min(rows - 1, Math.max(0, Math.floor(y * rows))), key: Math.min(keys - 1, Math.max(0, Math.floor(shownKeys.fromKey + x * span))) };
  };
  useWheel(canvas, (event) => zoom(event.deltaY > 0 ? 1.25 : 0.8, place(event).key));
  const drag = useRef<{ x: number; fromKey: number } | null>(null);
  const open = (key: number): void => {
    const found = placeOf(evidence, key);
    if (found) openPassage({ documentId: found.document.documentId, start: found.document.blockStarts[found.block], end: found.document.blockStarts[found.block + 1] });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const { row, key } = cross ?? { row: 0, key: Math.floor((shownKeys.fromKey + shownKeys.toKey) / 2) };
    const step = Math.max(1, Math.round(span / 32));
    const acts: Partial<Record<string, () => void>> = {
      ArrowLeft: () => (event.shiftKey ? move(shownKeys.fromKey - span / 4, span) : setCross({ row, key: Math.max(shownKeys.fromKey, key - step) })),
      ArrowRight: () => (event.shiftKey ? move(shownKeys.fromKey + span / 4, span) : setCross({ row, key: Math.min(shownKeys.toKey - 1, key + step) })),
      ArrowUp: () => setCross({ row: Math.max(0, row - 1), key }),
      ArrowDown: () => setCross({ row: Math.min(rows - 1, row + 1), key }),
      '+': () => zoom(0.5, key),
      '=': () => zoom(0.5, key),
      '-': () => zoom(2, key),
      '0': () => move(0, keys),
      Enter: () => open(key),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const shown = cross && weightAt(tiles, view, cross);
  return (
    <div className="flex min-h-72 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 pb-2">
        <Legend signed={against !== undefined} />
        <span className="text-small text-faint">{text.perColumn(2 ** level)}</span>
        {tiles.pending > 0 && (
          <span className="flex items-center gap-1.5 text-small text-quiet" role="status" data-testid="map-pending">
            <Spinner /> {text.computing}
          </span>
        )}
        <span className="flex-1" />
        <IconButton icon={ZoomOut} label={text.zoomOut} onClick={() => zoom(2)} />
        <IconButton icon={ZoomIn} label={text.zoomIn} onClick={() => zoom(0.5)} />
        <IconButton icon={Maximize} label={text.everything} onClick={() => move(0, keys)} />
        <Button onClick={() => canvas.current && savePicture(canvas.current)}>{text.png}</Button>
        <Button onClick={() => canvas.current && saveVector(canvas.current, { view, evidence, answer })}>{text.svg}</Button>
      </div>
      {tiles.failure !== null && <Notice tone="danger" className="mb-2" message={failureOf(tiles.failure).message} remedy={failureOf(tiles.failure).remedy} />}
      <div className="flex min-h-40 flex-1">
        <RowLabels evidence={evidence} rows={rows} answer={answer} height={size.height} current={cross?.row ?? null} />
        {/* oxlint-disable jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions -- it is moved with the keyboard */}
        <div
          role="application"
          tabIndex={0}
          aria-label={`${text.label}. ${text.help}`}
          data-testid="attention-map"
          data-level={level}
          data-tiles={tiles.size}
          className="relative min-w-0 flex-1 rounded-md"
          onKeyDown={onKeyDown}
        >
          <canvas
            ref={canvas}
            aria-hidden
            className={`absolute inset-0 size-full cursor-crosshair touch-none rounded-md ${against ? 'bg-[rgb(235_235_232)]' : 'bg-[rgb(68_1_84)]'}`}
            onPointerDown={(event) => {
              drag.current = { x: event.clientX, fromKey: shownKeys.fromKey };
              event.currentTarget.setPointerCapture(event.pointerId);
            }}
            onPointerMove={(event) => {
              setCross(place(event));
              const began = drag.current;
              const width = canvas.current?.clientWidth ?? 1;
              if (began && Math.abs(event.clientX - began.x) > 3) move(began.fromKey - ((event.clientX - began.x) / width) * span, span);
            }}
            onPointerUp={() => (drag.current = null)}
            onDoubleClick={() => cross && open(cross.key)}
          />
        </div>
      </div>
      {retrieval && retrieval.sealedTokens > 0 && <MapStrips told={retrieval} evidence={evidence} shown={shownKeys} />}
      <UnderPointer evidence={evidence} answer={answer} cross={cross} weight={shown} />
    </div>
  );
}

/** The tokens of the answer beside their rows, as many as there is room for. */
function RowLabels({ evidence, rows, answer, height, current }: { evidence: AnswerEvidence; rows: number; answer: string; height: number; current: number | null }) {
  const every = Math.max(1, Math.ceil((labelPixels * rows) / Math.max(1, height)));
  return (
    <div aria-hidden className="relative w-24 shrink-0 overflow-hidden text-tiny text-faint">
      {evidence.tokens.slice(0, rows).map(({ start, end }, row) =>
        row % every === 0 ? (
          <span key={start} className={`absolute right-2 max-w-full -translate-y-1/2 truncate ${row === current ? 'font-semibold text-text' : ''}`} style={{ top: `${(100 * (row + 0.5)) / rows}%` }}>
            {answer.slice(start, end).trim()}
          </span>
        ) : null,
      )}
    </div>
  );
}

function UnderPointer({ evidence, answer, cross, weight }: { evidence: AnswerEvidence; answer: string; cross: Cross | null; weight: number | null }) {
  const token = cross && evidence.tokens[cross.row];
  return (
    <dl aria-live="polite" className="selectable mt-2 grid min-h-16 grid-cols-[auto_1fr] gap-x-3 gap-y-0.5 text-small" data-testid="under-pointer">
      <dt className="text-faint">{text.token}</dt>
      <dd className="truncate">
        {token ? (
          <>
            <span className="text-faint">{answer.slice(Math.max(0, token.start - 60), token.start)}</span>
            <mark className="rounded-sm bg-accent-soft px-0.5 text-text">{answer.slice(token.start, token.end)}</mark>
            <span className="text-faint">{answer.slice(token.end, token.end + 60)}</span>
          </>
        ) : (
          '–'
        )}
      </dd>
      <dt className="text-faint">{text.under}</dt>
      <dd className="min-w-0">{cross ? <PromptSnippet evidence={evidence} position={cross.key} /> : '–'}</dd>
      <dt className="text-faint">{text.share}</dt>
      <dd className="tabular-nums">{weight === null ? '–' : `${weight < 0 ? '−' : ''}${inspectorStrings.percent(Math.abs(weight))}`}</dd>
    </dl>
  );
}

/** The weight of the cell, a mean over the heads. */
function weightAt(tiles: TileSource, { level, reducer }: MapView, { row, key }: Cross): number | null {
  const column = Math.floor(key / 2 ** level);
  const tile = tiles.find({ level, x: Math.floor(column / tileColumns), y: Math.floor(row / tileRows) });
  if (!tile) return null;
  if (row % tileRows >= tile.rows || column % tileColumns >= tile.columns) return null;
  const cell = (row % tileRows) * tile.columns + (column % tileColumns);
  return reducer === 'sum' ? tile.sums[cell] / tile.heads : tile.peaks[cell];
}

/** React listens to the wheel passively, so that the page could not be kept from scrolling. */
function useWheel(canvas: { current: HTMLCanvasElement | null }, act: (event: WheelEvent) => void): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    const element = canvas.current;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      latest.current(event);
    };
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, [canvas]);
}

