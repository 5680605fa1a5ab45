/** Two answers to one question, with other policies or other models: where they looked differently. */
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Message } from '../../../../host/contract/entities.ts';
import type { AnswerEvidence, EvidenceDocument } from '../../../../host/contract/inspection.ts';
import { css, difference } from '../colours.ts';
import { formatBytes } from '../../../app/format.ts';
import { Select } from '../../../ui/Select.tsx';
import { commonTokens } from '../differenceTiles.ts';
import { useMessage, useStoredMessage } from '../hooks/useMessage.ts';
import { openPassage } from '../openPassage.ts';
import { profileOf } from '../profile.ts';
import { inspectorStore, useEvidence } from '../store.ts';
import { inspectorStrings } from '../strings.ts';
import { AttentionMap } from './AttentionMap.tsx';
import { ColumnHeads } from './ColumnHeads.tsx';

const text = inspectorStrings.compare;
const most = 8;
/** Less would be written as 0.00 %. */
const leastChange = 0.00005;
const none: readonly string[] = [];

export function CompareAnswers({ messageId, evidence }: { messageId: string; evidence: AnswerEvidence }) {
  const message = useMessage(messageId);
  const siblings = message?.siblingIds ?? none;
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
      <span className="flex items-center gap-2 pb-2 text-small text-quiet">
        {text.choose}
        <Select label={text.choose} value={otherId} onChange={(event) => setChosen(event.target.value)}>
          {others.map((id) => (
            <option key={id} value={id}>
              {siblings.indexOf(id) + 1}/{siblings.length}
            </option>
          ))}
        </Select>
      </span>
      <p className="pb-3 text-small text-quiet">{text.hint}</p>
      {other && message ? (
        <Cells message={message} evidence={evidence} otherId={otherId} other={other} />
      ) : null}
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

/** The weights of every cell, one answer less the other, and how each was decoded. */
function Cells({ message, evidence, otherId, other }: { message: Message; evidence: AnswerEvidence; otherId: string; other: AnswerEvidence }) {
  const otherMessage = useStoredMessage(otherId);
  // Both by the same heads.
  const heads = useMemo(() => evidence.heads.filter(({ retrieval }) => retrieval).map(({ layer, head }) => ({ layer, head })), [evidence]);
  if (!otherMessage) return null;
  const samePrompt = evidence.promptTokens === other.promptTokens && evidence.heads.length === other.heads.length && message.modelName === otherMessage.modelName;
  const spelled = ({ tokens }: AnswerEvidence, { text: answer }: Message): string[] => tokens.map(({ start, end }) => answer.slice(start, end));
  const common = commonTokens(spelled(evidence, message), spelled(other, otherMessage));
  return (
    <>
      <Runs runs={[message, otherMessage]} />
      {samePrompt ? (
        <div className="flex h-[26rem] flex-col pb-4" data-testid="difference-map">
          <p className="pb-2 text-small text-quiet">{text.cells}</p>
          <AttentionMap messageId={message.id} evidence={evidence} answer={message.text} heads={heads} against={{ messageId: otherId, rows: other.tokens.length, common }} />
        </div>
      ) : (
        <p className="pb-3 text-small text-quiet">{text.otherModel}</p>
      )}
    </>
  );
}

function Runs({ runs }: { runs: readonly Message[] }) {
  const number = (value: number | undefined): string => (value === undefined ? '–' : value.toLocaleString());
  return (
    <table className="mb-3 text-small tabular-nums [&_td]:py-0.5 [&_td]:pr-5 [&_th]:pr-5 [&_th]:text-left [&_th]:font-normal [&_th]:text-faint" data-testid="runs">
      <ColumnHeads titles={text.run} />
      <tbody>
        {runs.map(({ id, modelName, statistics }, index) => {
          const policy = statistics?.policy;
          return (
            <tr key={id} className="border-t border-line">
              <td>{index === 0 ? text.thisOne : text.otherOne}</td>
              <td>{modelName}</td>
              <td>{policy?.name ?? '–'}</td>
              <td>{number(policy?.exactKeys)}</td>
              <td>{number(policy?.estimatedKeys)}</td>
              <td>{number(policy?.droppedKeys)}</td>
              <td>{policy?.hitRatio == null ? '–' : inspectorStrings.percent(policy.hitRatio)}</td>
              <td>{policy ? formatBytes(policy.gpuBytes) : '–'}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Difference({ here, there, rows }: { here: EvidenceDocument; there: EvidenceDocument; rows: [number, number] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const changes = useMemo(() => {
    const other = profileOf(there, rows[1], null);
    const changeOf = (share: number, block: number): number => share - other[block];
    return profileOf(here, rows[0], null).map((share, block) => (Math.abs(changeOf(share, block)) < leastChange ? 0 : changeOf(share, block)));
  }, [here, there, rows]);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const largest = Math.max(leastChange, ...changes.map(Math.abs));
    for (const [block, change] of changes.entries()) {
      context.fillStyle = css(difference(Math.sign(change) * Math.sqrt(Math.abs(change) / largest)));
      context.fillRect(block, 0, 1, 1);
    }
  }, [changes]);
  const changed = [...changes.keys()].filter((block) => changes[block] !== 0);
  const ranked = changed.sort((a, b) => Math.abs(changes[b]) - Math.abs(changes[a])).slice(0, most);
  return (
    <div className="pb-4" data-testid="difference">
      <p className="pb-1 text-small text-quiet">{here.name}</p>
      <canvas ref={canvas} width={changes.length} height={1} aria-hidden className="h-6 w-full rounded-sm [image-rendering:pixelated]" />
      {ranked.length === 0 ? <p className="pt-2 text-small text-quiet">{text.alike}</p> : null}
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
