/** Under an answer: where it says so. Numbered chips open the document at the passage. */
import { clsx } from 'clsx';
import { BookOpenCheck, ScanEye } from 'lucide-react';
import { useEffect } from 'react';
import type { Message } from '../../../../host/contract/entities.ts';
import type { AnswerEvidence, Citation } from '../../../../host/contract/inspection.ts';
import { formatCount } from '../../../app/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { Popover } from '../../../ui/Popover.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { Tooltip } from '../../../ui/Tooltip.tsx';
import { useDocumentRange } from '../hooks/useDocumentRange.ts';
import { openPassage } from '../openPassage.ts';
import { topPassages, touchedBlocks } from '../profile.ts';
import { inspectorStore, useInspector } from '../store.ts';
import { inspectorStrings as text } from '../strings.ts';
import { Excerpt } from './Excerpt.tsx';
import { Ribbon } from './Ribbons.tsx';

export function Citations({ message, hasDocuments }: { message: Message; hasDocuments: boolean }) {
  const known = useInspector((state) => state.known[message.id]);
  useEffect(() => {
    if (hasDocuments && message.state === 'complete') void inspectorStore.getState().load(message.id);
  }, [hasDocuments, message.id, message.state]);
  if (!hasDocuments || message.state !== 'complete' || !known || known.state === 'none') return null;
  if (!known.evidence) {
    return (
      <p role="status" className="mt-2 flex items-center gap-1.5 text-small text-faint" data-testid="citations-pending">
        <Spinner /> {known.state === 'working' ? text.working : text.waiting}
      </p>
    );
  }
  const { citations } = known.evidence;
  const sourced = citations.filter(({ grade }) => grade !== 'none');
  const unsourced = citations.length - sourced.length;
  return (
    <section aria-label={text.openLabel} data-testid="citations" className="mt-2.5 flex flex-wrap items-center gap-1.5">
      {sourced.map((citation) => (
        <Chip key={citation.claim.start} citation={citation} evidence={known.evidence as AnswerEvidence} answer={message.text} />
      ))}
      {unsourced > 0 && (
        <Tooltip content={text.gradeHints.none}>
          <span data-testid="no-source" data-grade="none" className="rounded-full border border-dashed border-line-strong px-2 text-small text-faint">
            {sourced.length === 0 && unsourced === 1 ? text.grades.none : text.unsourced(unsourced)}
          </span>
        </Tooltip>
      )}
      <WhatWasRead message={message} evidence={known.evidence} />
    </section>
  );
}

function Chip({ citation, evidence, answer }: { citation: Citation; evidence: AnswerEvidence; answer: string }) {
  const { number, grade, passage, claim } = citation;
  const found = useDocumentRange(passage?.documentId ?? null, passage?.start ?? 0, passage?.end ?? 0);
  if (!passage || number === null) return null;
  const name = evidence.documents.find(({ documentId }) => documentId === passage.documentId)?.name ?? '';
  const hint = `${found ? `“${shortened(found)}” ` : ''}${text.shareOf(passage.share)}. ${citation.drop === null ? '' : `${text.lostWithout(citation.drop)}.`}`;
  return (
    <Tooltip content={hint}>
      <button
        type="button"
        data-testid="citation"
        data-grade={grade}
        aria-label={`${text.chip(number, text.grades[grade], name)}. ${text.claim}: ${answer.slice(claim.start, claim.end)}`}
        className={clsx(
          'inline-flex h-6 items-center gap-1.5 rounded-full border px-2 text-small hover:bg-hover',
          grade === 'verified' ? 'border-accent bg-accent-soft text-accent-text' : 'border-line-strong text-quiet',
        )}
        onClick={() => openPassage(passage)}
      >
        <span className="font-semibold tabular-nums">{number}</span>
        {text.grades[grade]}
        {grade === 'attended' && <span className="tabular-nums">{text.percent(passage.share)}</span>}
      </button>
    </Tooltip>
  );
}

function shortened(passage: string): string {
  return passage.length > 160 ? `${passage.slice(0, 157).trimEnd()}…` : passage;
}

function WhatWasRead({ message, evidence }: { message: Message; evidence: AnswerEvidence }) {
  const { touched, all } = touchedBlocks(evidence);
  const policy = message.statistics?.policy;
  const approximate = policy && policy.estimatedKeys + policy.droppedKeys + policy.missedKeys > 0;
  const trigger = (
    <Button variant="ghost" className="h-6 text-small text-faint" data-testid="what-was-read">
      <BookOpenCheck size={13} aria-hidden /> {text.whatWasRead}
    </Button>
  );
  return (
    <Popover trigger={trigger} label={text.whatWasRead} side="top" align="start" className="w-[30rem] p-4">
      <h2 className="pb-1 text-body font-semibold">{text.whatWasRead}</h2>
      <p className="pb-2 text-small text-quiet">
        {text.touched(touched, all)}. {approximate ? text.estimated(formatCount(policy.exactKeys), formatCount(policy.estimatedKeys), formatCount(policy.droppedKeys)) : text.exactly}
      </p>
      {evidence.documents.map((document) => (
        <Ribbon key={document.documentId} document={document} rows={evidence.tokens.length} row={null} />
      ))}
      <ol className="space-y-1 pt-2">
        {topPassages(evidence, null, 4).map((passage) => (
          <li key={`${passage.documentId} ${passage.start}`}>
            <ReadPassage passage={passage} />
          </li>
        ))}
      </ol>
      <Button className="mt-3" onClick={() => inspectorStore.getState().open(message.id)} data-testid="look-inside">
        <ScanEye size={14} aria-hidden /> {text.inspect}
      </Button>
    </Popover>
  );
}

function ReadPassage({ passage }: { passage: { documentId: string; start: number; end: number; share: number } }) {
  return (
    <button type="button" className="flex w-full gap-3 rounded-sm text-left text-small hover:bg-hover" onClick={() => openPassage(passage)}>
      <span className="w-10 shrink-0 text-right text-faint tabular-nums">{text.percent(passage.share)}</span>
      <Excerpt {...passage} className="line-clamp-2" />
    </button>
  );
}
