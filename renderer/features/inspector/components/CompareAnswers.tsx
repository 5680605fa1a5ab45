/** Two answers to one question, with other policies or other models: where they looked differently. */
import { useEffect, useMemo, useRef, useState } from 'react';
import type { AnswerEvidence, EvidenceDocument } from '../../../../host/contract/inspection.ts';
import { css, difference } from '../colours.ts';
import { useMessage } from '../hooks/useMessage.ts';
import { openPassage } from '../openPassage.ts';
import { profileOf } from '../profile.ts';
import { inspectorStore, useEvidence } from '../store.ts';
import { inspectorStrings } from '../strings.ts';

const text = inspectorStrings.compare;
const most = 8;
const none: readonly string[] = [];

export function CompareAnswers({ messageId, evidence }: { messageId: string; evidence: AnswerEvidence }) {
  const siblings = useMessage(messageId)?.siblingIds ?? none;
  const others = siblings.filter((id) => id !== messageId);
  const [chosen, setChosen] = useState<string | null>(null);
  const otherId = chosen ?? others[0] ?? null;
  const other = useEvidence(otherId);
  useEffect(() => {
    if (otherId !== null) void inspectorStore.getState().load(otherId);
  }, [otherId]);
  if (otherId === null) return <p className="mx-auto max-w-[46rem] text-quiet">{text.nothing}</p>;
  return (
    <section aria-label={text.label} className="mx-auto max-w-[60rem]">
      <label className="flex items-center gap-2 pb-2 text-small text-quiet">
        {text.choose}
        <select className="field" value={otherId} onChange={(event) => setChosen(event.target.value)}>
          {others.map((id) => (
            <option key={id} value={id}>
              {siblings.indexOf(id) + 1}/{siblings.length}
            </option>
          ))}
        </select>
      </label>
      <p className="pb-3 text-small text-quiet">{text.hint}</p>
      {other ? (
        evidence.documents.map((document) => {
          const same = other.documents.find(({ documentId, blockStarts }) => documentId === document.documentId && blockStarts.length === document.blockStarts.length);
          return same && <Difference key={document.documentId} here={document} there={same} rows={[evidence.tokens.length, other.tokens.length]} />;
        })
      ) : (
        <p role="status" className="text-quiet">
          {inspectorStrings.waiting}…
        </p>
      )}
    </section>
  );
}

function Difference({ here, there, rows }: { here: EvidenceDocument; there: EvidenceDocument; rows: [number, number] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const changes = useMemo(() => {
    const other = profileOf(there, rows[1], null);
    return profileOf(here, rows[0], null).map((share, block) => share - other[block]);
  }, [here, there, rows]);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const largest = Math.max(1e-6, ...changes.map(Math.abs));
    for (const [block, change] of changes.entries()) {
      context.fillStyle = css(difference(Math.sign(change) * Math.sqrt(Math.abs(change) / largest)));
      context.fillRect(block, 0, 1, 1);
    }
  }, [changes]);
  const ranked = [...changes.keys()].sort((a, b) => Math.abs(changes[b]) - Math.abs(changes[a])).slice(0, most);
  return (
    <div className="pb-4" data-testid="difference">
      <p className="pb-1 text-small text-quiet">{here.name}</p>
      <canvas ref={canvas} width={changes.length} height={1} aria-hidden className="h-6 w-full rounded-sm [image-rendering:pixelated]" />
      <ul className="pt-2 text-small">
        {ranked.map((block) => (
          <li key={block} className="flex gap-3 tabular-nums">
            <span className="w-40">
              {changes[block] > 0 ? '+' : '−'}
              {inspectorStrings.percent(Math.abs(changes[block]))} {changes[block] > 0 ? text.moreHere : text.moreThere}
            </span>
            <button type="button" className="text-accent-text underline" onClick={() => openPassage({ documentId: here.documentId, start: here.blockStarts[block], end: here.blockStarts[block + 1] })}>
              {here.blockStarts[block]}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
