/** The whole prompt by the whole prompt, for experts: a pyramid of tiles, computed where somebody looks. */
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { AnswerEvidence, HeadChoice } from '../../../../host/contract/inspection.ts';
import { Button } from '../../../ui/Button.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { brightness, viridis } from '../colours.ts';
import { useTriangle } from '../hooks/useTriangle.ts';
import { openPassage } from '../openPassage.ts';
import { placeOf } from '../profile.ts';
import { inspectorStrings } from '../strings.ts';
import { bucketsOf, childAt, farCells, neighbourOf, parentOf, type TrianglePlace, weightsOf, wholeTriangle } from '../triangle.ts';
import { Legend } from './Legend.tsx';
import { PromptSnippet } from './PromptSnippet.tsx';

const text = inspectorStrings.triangle;

interface Cell {
  row: number;
  column: number;
}

export function CausalTriangle({ messageId, evidence, heads }: { messageId: string; evidence: AnswerEvidence; heads: HeadChoice }) {
  const { promptTokens } = evidence;
  const [place, setPlace] = useState<TrianglePlace | null>(null);
  const [cell, setCell] = useState<Cell>({ row: 0, column: 0 });
  const { tile, progress, failure } = useTriangle({ messageId, heads, promptTokens, place });
  const shown = useMemo(() => bucketsOf(place ?? wholeTriangle, promptTokens), [place, promptTokens]);
  const weights = useMemo(() => tile && weightsOf(tile, shown), [tile, shown]);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current && tile && weights) draw(canvas.current, weights, tile, shown);
  }, [tile, weights, shown]);

  const positionOf = ({ row, column }: Cell): { row: number; key: number } => ({ row: shown.rows.from + row * shown.rows.perBucket, key: shown.keys.from + column * shown.keys.perBucket });
  const open = (position: number): void => {
    const found = placeOf(evidence, position);
    if (found) openPassage({ documentId: found.document.documentId, start: found.document.blockStarts[found.block], end: found.document.blockStarts[found.block + 1] });
  };
  const go = (next: TrianglePlace | null): void => {
    if (next) setPlace(next);
  };
  const at = (event: PointerEvent<HTMLCanvasElement>): Cell => {
    const box = event.currentTarget.getBoundingClientRect();
    const of = (share: number, count: number): number => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    return { row: of((event.clientY - box.top) / box.height, tile?.rows ?? 1), column: of((event.clientX - box.left) / box.width, tile?.columns ?? 1) };
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!place || !tile) return;
    const moved = (down: number, right: number) => (): void => {
      if (event.shiftKey) return go(neighbourOf(place, down, right, promptTokens));
      setCell({ row: Math.min(tile.rows - 1, Math.max(0, cell.row + 4 * down)), column: Math.min(tile.columns - 1, Math.max(0, cell.column + 4 * right)) });
    };
    const acts: Partial<Record<string, () => void>> = {
      ArrowUp: moved(-1, 0),
      ArrowDown: moved(1, 0),
      ArrowLeft: moved(0, -1),
      ArrowRight: moved(0, 1),
      '+': () => go(childAt(place, cell, promptTokens)),
      '=': () => go(childAt(place, cell, promptTokens)),
      '-': () => go(parentOf(place)),
      '0': () => go(wholeTriangle),
      Enter: () => open(positionOf(cell).key),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const under = positionOf(cell);
  return (
    <section aria-label={text.label} className="mx-auto max-w-[60rem]">
      <p className="max-w-[46rem] pb-3 text-small text-quiet">{text.hint}</p>
      <div className="flex min-h-7 flex-wrap items-center gap-3 pb-2">
        {place === null && <Button onClick={() => setPlace(wholeTriangle)}>{text.compute}</Button>}
        {progress !== null && (
          <>
            <ProgressBar label={text.label} fraction={progress} className="max-w-60" />
            <span role="status" className="text-small text-quiet tabular-nums">
              {text.progress(Math.round(100 * progress))}
            </span>
            <Button onClick={() => setPlace(null)}>{text.cancel}</Button>
          </>
        )}
        {tile && (
          <>
            <Legend />
            <span className="text-small text-faint">{text.level(shown.rows.perBucket)}</span>
            <span className="flex-1" />
            <Button disabled={place?.level === 0} onClick={() => place && go(parentOf(place))}>
              {inspectorStrings.map.zoomOut}
            </Button>
            <Button disabled={!place || !childAt(place, cell, promptTokens)} onClick={() => place && go(childAt(place, cell, promptTokens))}>
              {inspectorStrings.map.zoomIn}
            </Button>
          </>
        )}
      </div>
      {failure && failure.code !== 'cancelled' && <Notice tone="danger" message={failure.message} remedy={failure.remedy} />}
      {tile && (
        <div className="flex flex-wrap gap-5" data-testid="triangle" data-level={place?.level}>
          {/* oxlint-disable jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions -- it is moved with the keyboard */}
          <div role="application" tabIndex={0} aria-label={`${text.label}. ${text.help}`} className="relative size-[26rem] shrink-0 rounded-md" onKeyDown={onKeyDown}>
            <canvas
              ref={canvas}
              width={tile.columns}
              height={tile.rows}
              aria-hidden
              className="size-full cursor-crosshair rounded-md bg-sunken [image-rendering:pixelated]"
              onPointerMove={(event) => setCell(at(event))}
              onDoubleClick={() => place && go(childAt(place, cell, promptTokens))}
            />
            <span aria-hidden className="pointer-events-none absolute inset-x-0 border-t border-focus" style={{ top: `${(100 * (cell.row + 0.5)) / tile.rows}%` }} />
            <span aria-hidden className="pointer-events-none absolute inset-y-0 border-l border-focus" style={{ left: `${(100 * (cell.column + 0.5)) / tile.columns}%` }} />
          </div>
          <div className="min-w-60 flex-1 text-small">
            <dl aria-live="polite" className="selectable grid grid-cols-[auto_1fr] gap-x-3 gap-y-1" data-testid="triangle-under">
              <dt className="text-faint">{text.row}</dt>
              <dd className="min-w-0">
                <PromptSnippet evidence={evidence} position={under.row} />
              </dd>
              <dt className="text-faint">{text.key}</dt>
              <dd className="min-w-0">
                <PromptSnippet evidence={evidence} position={under.key} />
              </dd>
              <dt className="text-faint">{inspectorStrings.map.share}</dt>
              <dd className="tabular-nums">{inspectorStrings.percent(weights?.[cell.row * tile.columns + cell.column] ?? 0)}</dd>
            </dl>
            <h2 className="pt-4 pb-1 text-faint">{text.strongest}</h2>
            <ul data-testid="triangle-far">
              {weights &&
                farCells(weights, tile.columns, shown).map((one) => (
                  <li key={`${one.row} ${one.column}`} className="border-t border-line py-1">
                    <button type="button" className="grid w-full grid-cols-[3.5rem_1fr] gap-x-2 text-left" onFocus={() => setCell(one)} onClick={() => open(positionOf(one).key)}>
                      <span className="tabular-nums">{inspectorStrings.percent(one.weight)}</span>
                      <span className="min-w-0">
                        <PromptSnippet evidence={evidence} position={positionOf(one).row} />
                        <PromptSnippet evidence={evidence} position={positionOf(one).key} />
                      </span>
                    </button>
                  </li>
                ))}
            </ul>
          </div>
        </div>
      )}
    </section>
  );
}

/** What is above the diagonal does not exist, and stays empty. */
function draw(canvas: HTMLCanvasElement, weights: Float32Array, { rows, columns }: { rows: number; columns: number }, shown: ReturnType<typeof bucketsOf>): void {
  const image = new ImageData(columns, rows);
  for (let row = 0; row < rows; row++) {
    const last = shown.rows.from + (row + 1) * shown.rows.perBucket;
    for (let column = 0; column < columns; column++) {
      if (shown.keys.from + column * shown.keys.perBucket >= last) continue;
      image.data.set([...viridis(brightness(weights[row * columns + column])), 255], 4 * (row * columns + column));
    }
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}
