/** The passages with most attention as a table: the same numbers for those who do not see the map, to open and to try. */
import { useEffect, useState } from 'react';
import type { AnswerEvidence } from '../../../../host/contract/inspection.ts';
import { host } from '../../../app/connection/session.ts';
import { failureOf, reportFailure } from '../../../app/failures.ts';
import { said } from '../../../app/said/said.ts';
import { Button } from '../../../ui/Button.tsx';
import { Select } from '../../../ui/Select.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { passagesTable, saveFile } from '../exportMap.ts';
import { documentRange } from '../hooks/useDocumentRange.ts';
import type { Granularity } from '../granularity.ts';
import { useFinePassages } from '../hooks/useFinePassages.ts';
import { openPassage } from '../openPassage.ts';
import { type RankedPassage, topPassages } from '../profile.ts';
import { readSession, sessionOf } from '../sessionFile.ts';
import { inspectorStore, useInspector } from '../store.ts';
import { inspectorStrings } from '../strings.ts';
import { Excerpt } from './Excerpt.tsx';

const text = inspectorStrings.passages;

export function PassageTable({ messageId, evidence, answer }: { messageId: string; evidence: AnswerEvidence; answer: string }) {
  const row = useInspector((state) => state.row);
  const [granularity, setGranularity] = useState<Granularity | 'block'>('block');
  // Until finer ones are there the passages are blocks: what is begun on those would be gone with them.
  const { passages: finer, coming } = useFinePassages(messageId, evidence, row, granularity);
  const passages = finer ?? topPassages(evidence, row);
  const saveTable = async (): Promise<void> => {
    const told = await Promise.all(passages.map(async (passage) => ({ ...passage, text: await documentRange(passage.documentId, passage.start, passage.end) })));
    saveFile(new Blob([passagesTable(told)], { type: 'text/csv' }), 'passages.csv');
  };
  return (
    <section aria-label={text.label} className="mx-auto max-w-[60rem]">
      <div className="flex flex-wrap items-center gap-2 pb-3">
        <span className="flex items-center gap-2 text-small text-quiet">
          {text.of}
          <Select label={text.of} value={row ?? 'whole'} onChange={(event) => inspectorStore.getState().choose({ row: event.target.value === 'whole' ? null : Number(event.target.value) })}>
            <option value="whole">{text.whole}</option>
            {evidence.tokens.map(({ start, end }, index) => (
              <option key={start} value={index}>
                {index + 1}: {text.token(answer.slice(start, end).trim())}
              </option>
            ))}
          </Select>
        </span>
        <span className="flex items-center gap-2 text-small text-quiet">
          {text.by}
          <Select label={text.by} value={granularity} onChange={(event) => setGranularity(event.target.value as Granularity | 'block')}>
            {Object.entries(text.granularities).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
        </span>
        {coming && <Spinner />}
        <span className="flex-1" />
        <Button onClick={() => void saveTable().catch(reportFailure)}>{text.csv}</Button>
        <SessionButtons />
      </div>
      <table className="w-full text-small" data-testid="passages" aria-busy={coming}>
        <thead>
          <tr className="text-faint [&>th]:py-1 [&>th]:pr-4 [&>th]:text-left [&>th]:font-normal">
            <th scope="col">{text.share}</th>
            <th scope="col">{text.place}</th>
            <th scope="col">{text.text}</th>
            <th scope="col">
              <span className="sr-only">{text.ablate}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {passages.map((passage) => (
            <PassageRow key={`${passage.documentId} ${passage.start}`} messageId={messageId} passage={passage} coming={coming} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function PassageRow({ messageId, passage, coming }: { messageId: string; passage: RankedPassage; coming: boolean }) {
  return (
    <tr className="border-t border-line align-top [&>td]:py-1.5 [&>td]:pr-4">
      <td className="whitespace-nowrap tabular-nums">{inspectorStrings.percent(passage.share)}</td>
      <td className="whitespace-nowrap text-quiet">
        {passage.name} <span className="text-faint tabular-nums">{passage.start}</span>
      </td>
      <td className="selectable">
        <Excerpt {...passage} />
      </td>
      <td className="whitespace-nowrap">
        <Button variant="ghost" onClick={() => openPassage(passage)}>
          {text.open}
        </Button>
        <Ablation messageId={messageId} passage={passage} coming={coming} />
      </td>
    </tr>
  );
}

/** What becomes of the answer without the passage. */
function Ablation({ messageId, passage, coming }: { messageId: string; passage: RankedPassage; coming: boolean }) {
  const [state, setState] = useState<{ kind: 'idle' | 'trying' } | { kind: 'done'; nats: number } | { kind: 'failed'; message: string }>({ kind: 'idle' });
  const attempt = async (): Promise<void> => {
    setState({ kind: 'trying' });
    try {
      const { documentId, start, end } = passage;
      const { before, after } = await host.call('inspector.ablate', { messageId, documentId, start, end });
      setState({ kind: 'done', nats: before.reduce((sum, logprob, i) => sum + logprob - after[i], 0) });
    } catch (error) {
      setState({ kind: 'failed', message: said(failureOf(error).message) });
    }
  };
  if (state.kind === 'done' || state.kind === 'failed') return <p role="status" data-testid="ablation" className="max-w-56 whitespace-normal">{state.kind === 'done' ? text.result(state.nats) : state.message}</p>;
  return (
    <Button variant="ghost" disabled={state.kind === 'trying' || coming} onClick={() => void attempt()}>
      {state.kind === 'trying' ? text.trying : text.ablate}
    </Button>
  );
}

/** The view as a file, which opens as it was. */
function SessionButtons() {
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (problem === null) return undefined;
    const timer = setTimeout(() => setProblem(null), 6000);
    return () => clearTimeout(timer);
  }, [problem]);
  const save = (): void => saveFile(new Blob([JSON.stringify(sessionOf(inspectorStore.getState()), null, 1)], { type: 'application/json' }), 'view.longleaf.json');
  const open = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    const session = readSession(await file.text());
    if (!session) return setProblem(text.badSession);
    const { messageId, ...view } = session;
    inspectorStore.getState().open(messageId, view);
  };
  return (
    <>
      <Button onClick={save}>{text.session}</Button>
      <label className="inline-flex h-7 cursor-pointer items-center rounded-md border border-line-strong bg-raised px-2.5 focus-within:outline-2 focus-within:outline-focus hover:bg-hover">
        {text.openSession}
        <input type="file" accept=".json" className="sr-only" onChange={(event) => void open(event.target.files?.[0])} />
      </label>
      {problem && <span role="alert">{problem}</span>}
    </>
  );
}
