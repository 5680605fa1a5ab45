/** Attention along each document, as a strip: click or Enter opens the document there. */
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { AnswerEvidence, EvidenceDocument } from '../../../../host/contract/inspection.ts';
import { brightness, css, viridis } from '../colours.ts';
import { openPassage } from '../openPassage.ts';
import { profileOf } from '../profile.ts';
import { useInspector } from '../store.ts';
import { inspectorStrings as text } from '../strings.ts';

export function Ribbons({ evidence, answer }: { evidence: AnswerEvidence; answer: string }) {
  const row = useInspector((state) => state.row);
  const token = row === null ? null : evidence.tokens[row];
  return (
    <div className="pb-2">
      {evidence.documents.map((document) => (
        <Ribbon key={document.documentId} document={document} rows={evidence.tokens.length} row={token ? row : null} of={token ? answer.slice(token.start, token.end) : null} />
      ))}
    </div>
  );
}

export function Ribbon({ document, rows, row, of = null }: { document: EvidenceDocument; rows: number; row: number | null; of?: string | null }) {
  const profile = useMemo(() => profileOf(document, rows, row), [document, rows, row]);
  return <RibbonStrip document={document} profile={profile} label={`${text.ribbon(document.name)}${of === null ? '' : `, ${text.passages.token(of.trim())}`}`} />;
}

interface RibbonStripProps {
  document: Pick<EvidenceDocument, 'documentId' | 'name' | 'blockStarts'>;
  /** Weight of each block. */
  profile: Float64Array;
  label: string;
  /** Before the strip; left out, the document's. */
  name?: string;
}

export function RibbonStrip({ document, profile, label, name = document.name }: RibbonStripProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const peak = useMemo(() => profile.reduce((best, share, block) => (share > profile[best] ? block : best), 0), [profile]);
  const [block, setBlock] = useState<number | null>(null);
  const at = block ?? peak;
  useEffect(() => {
    if (canvas.current) drawRibbon(canvas.current, profile);
  }, [profile]);
  const open = (which: number): void => openPassage({ documentId: document.documentId, start: document.blockStarts[which], end: document.blockStarts[which + 1] });
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    if (step !== 0) setBlock(Math.min(profile.length - 1, Math.max(0, at + step)));
    else if (event.key === 'Enter') open(at);
    else return;
    event.preventDefault();
  };
  return (
    <div className="flex items-center gap-3">
      <span className="w-36 truncate text-small text-quiet" title={name}>
        {name}
      </span>
      <button
        type="button"
        aria-label={`${label}: ${text.percent(profile[at] ?? 0)}. ${text.ribbonHelp}`}
        data-testid="ribbon"
        data-peak={peak}
        className="relative h-5 min-w-0 flex-1 overflow-hidden rounded-sm"
        onKeyDown={onKeyDown}
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          if (event.detail > 0) open(Math.min(profile.length - 1, Math.floor(((event.clientX - box.left) / box.width) * profile.length)));
        }}
      >
        <canvas ref={canvas} width={profile.length} height={1} aria-hidden className="absolute inset-0 size-full [image-rendering:pixelated]" />
        {block !== null && <span aria-hidden className="absolute inset-y-0 w-0.5 bg-surface outline outline-1 outline-text" style={{ left: `${(100 * (block + 0.5)) / profile.length}%` }} />}
      </button>
      <span className="w-14 text-right text-small text-faint tabular-nums">{text.percent(profile[at] ?? 0)}</span>
    </div>
  );
}

function drawRibbon(canvas: HTMLCanvasElement, profile: Float64Array): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  for (const [block, share] of profile.entries()) {
    context.fillStyle = css(viridis(brightness(share)));
    context.fillRect(block, 0, 1, 1);
  }
}
