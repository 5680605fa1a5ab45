/** What the policy chose beyond the GPU, along each document, beside the best choice, what was missed, and where it lies. */
import { useEffect, useRef } from 'react';
import type { AnswerEvidence, Retrieval, RetrievalDocument } from '../../../../host/contract/inspection.ts';
import { formatBytes } from '../../../app/format.ts';
import { Notice } from '../../../ui/Notice.tsx';
import { ScrollRegion } from '../../../ui/ScrollRegion.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { css, tierColours } from '../colours.ts';
import type { RetrievalState } from '../hooks/useRetrieval.ts';
import { placeOf } from '../profile.ts';
import { colourOf, type Lane, lanes, numbersOf, tiers } from '../retrievalLanes.ts';
import type { MapWindow } from '../store.ts';
import { inspectorStrings } from '../strings.ts';
import { ColumnHeads } from './ColumnHeads.tsx';

const text = inspectorStrings.retrieval;
/** Of a strip beside the map. */
const mapColumns = 512;

export function RetrievalStrips({ state, evidence, answer }: { state: RetrievalState; evidence: AnswerEvidence; answer: string }) {
  const { told, failure } = state;
  if (failure) return <Notice tone="danger" className="mb-2" message={failure.message} remedy={failure.remedy} />;
  if (!told) {
    return (
      <p role="status" className="flex items-center gap-2 pb-2 text-small text-quiet">
        <Spinner /> {text.computing}…
      </p>
    );
  }
  if (told.sealedTokens === 0) return <p className="pb-2 text-small text-quiet" data-testid="retrieval-nothing">{text.nothing}</p>;
  return (
    <section aria-label={text.label} className="pb-2" data-testid="retrieval">
      {told.documents.map((document) => {
        const shown = evidence.documents.find(({ documentId }) => documentId === document.documentId);
        return shown && <DocumentStrips key={document.documentId} document={document} name={shown.name} />;
      })}
      <Numbers told={told} evidence={evidence} answer={answer} />
    </section>
  );
}

function DocumentStrips({ document, name }: { document: RetrievalDocument; name: string }) {
  const blocks = Array.from({ length: blockCount(document) }, (_, block) => ({ document, block }));
  return lanes.map((lane) => (
    <div key={lane} className="flex items-center gap-3">
      <span className="w-36 shrink-0 truncate text-right text-tiny text-faint">{text.lanes[lane]}</span>
      <Strip label={text.lane(text.lanes[lane], name)} lane={lane} columns={blocks} className="h-2.5 min-w-0 flex-1" />
      <span className="w-14 shrink-0" />
    </div>
  ));
}

/** The strips of what the map shows, column by column below it. */
export function MapStrips({ told, evidence, shown }: { told: Retrieval; evidence: AnswerEvidence; shown: MapWindow }) {
  const columns = Array.from({ length: mapColumns }, (_, column) => {
    const place = placeOf(evidence, Math.floor(shown.fromKey + ((column + 0.5) / mapColumns) * (shown.toKey - shown.fromKey)));
    const document = place && told.documents.find(({ documentId }) => documentId === place.document.documentId);
    return place && document ? { document, block: place.block } : null;
  });
  return lanes.map((lane) => (
    <div key={lane} className="flex items-center">
      <span className="w-24 shrink-0 truncate pr-2 text-right text-tiny text-faint">{text.lanes[lane]}</span>
      <Strip label={text.lane(text.lanes[lane], inspectorStrings.tabs.map)} lane={lane} columns={columns} className="h-2 min-w-0 flex-1" />
    </div>
  ));
}

interface StripProps {
  label: string;
  lane: Lane;
  columns: readonly ({ document: RetrievalDocument; block: number } | null)[];
  className: string;
}

function Strip({ label, lane, columns, className }: StripProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, columns.length, 1);
    for (const [column, place] of columns.entries()) {
      const colour = place && colourOf(lane, place.document, place.block);
      if (!colour) continue;
      context.fillStyle = colour;
      context.fillRect(column, 0, 1, 1);
    }
  }, [lane, columns]);
  return <canvas ref={canvas} role="img" aria-label={label} width={columns.length} height={1} className={`${className} bg-sunken [image-rendering:pixelated]`} />;
}

function Numbers({ told, evidence, answer }: { told: Retrieval; evidence: AnswerEvidence; answer: string }) {
  const { recall, missed, hits, waitMs, fetchMs, ramReadBytes, diskReadBytes } = numbersOf(told);
  const share = (value: number | null): string => (value === null ? '–' : inspectorStrings.percent(value));
  return (
    <div className="selectable max-w-[60rem] pt-1.5 text-small text-quiet">
      <p data-testid="retrieval-numbers">
        {text.sampled(told.policy, told.sampledSteps, share(recall), share(missed))} {text.memory(share(hits), waitMs.toFixed(1), fetchMs.toFixed(1), formatBytes(ramReadBytes), formatBytes(diskReadBytes))}
      </p>
      <p className="flex flex-wrap items-center gap-x-3 text-faint">
        {tiers.map((tier) => (
          <span key={tier} className="inline-flex items-center gap-1.5">
            <span aria-hidden className="size-2.5 rounded-sm" style={{ background: css(tierColours[tier]) }} /> {text.tiers[tier]}
          </span>
        ))}
        <span>{text.hint}</span>
      </p>
      <details className="pt-1">
        <summary className="cursor-pointer">{text.steps}</summary>
        <Steps told={told} evidence={evidence} answer={answer} />
      </details>
    </div>
  );
}

function Steps({ told, evidence, answer }: { told: Retrieval; evidence: AnswerEvidence; answer: string }) {
  const share = (value: number | null): string => (value === null ? '–' : inspectorStrings.percent(value));
  const rows = evidence.tokens.flatMap((token, row) => (told.steps[row] ? [{ token, step: told.steps[row] }] : []));
  return (
    <ScrollRegion label={text.steps} className="max-h-36">
      <table className="w-full tabular-nums [&_td]:py-0.5 [&_td]:pr-4 [&_th]:pr-4 [&_th]:text-left [&_th]:font-normal [&_th]:text-faint">
        <ColumnHeads titles={text.columns} />
        <tbody>
          {rows.map(({ token, step }) => (
            <tr key={token.start} className="border-t border-line">
              <td>{answer.slice(token.start, token.end).trim()}</td>
              <td>{step.chosen}</td>
              <td>{step.hits}</td>
              <td>{step.fetched}</td>
              <td>{formatBytes(step.ramReadBytes)}</td>
              <td>{formatBytes(step.diskReadBytes)}</td>
              <td>{(step.waitMs + step.fetchMs).toFixed(1)}</td>
              <td>{share(step.recall)}</td>
              <td>{share(step.mass === null ? null : 1 - step.mass)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function blockCount({ far }: RetrievalDocument): number {
  return (atob(far).length / 4) | 0;
}
