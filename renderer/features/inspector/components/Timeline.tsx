/** The answer token by token: where each looked, and how sure it was. */
import { Pause, Play } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { AnswerEvidence, EvidenceToken } from '../../../../host/contract/inspection.ts';
import { Button } from '../../../ui/Button.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
import { inspectorStore, useInspector } from '../store.ts';
import { inspectorStrings } from '../strings.ts';
import { Ribbons } from './Ribbons.tsx';
import { ZoneSplit } from './ZoneSplit.tsx';

const text = inspectorStrings.timeline;
const tokenEveryMs = 400;

export function Timeline({ evidence, answer }: { evidence: AnswerEvidence; answer: string }) {
  const row = useInspector((state) => state.row);
  const { choose } = inspectorStore.getState();
  const rows = evidence.tokens.length;
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    if (!playing) return undefined;
    const timer = setInterval(() => {
      const next = (inspectorStore.getState().row ?? -1) + 1;
      if (next >= rows) setPlaying(false);
      else inspectorStore.getState().choose({ row: next });
    }, tokenEveryMs);
    return () => clearInterval(timer);
  }, [playing, rows]);
  const after = (wanted: (token: EvidenceToken) => boolean): void => {
    const order = [...evidence.tokens.keys()].map((i) => (i + (row ?? -1) + 1) % rows);
    choose({ row: order.find((i) => wanted(evidence.tokens[i])) ?? row });
  };
  const token = row === null ? null : evidence.tokens[row];
  const meanFar = evidence.tokens.reduce((sum, one) => sum + documentShare(one), 0) / Math.max(1, rows);
  return (
    <div className="mx-auto max-w-[60rem]">
      <div className="flex flex-wrap items-center gap-2 pb-3">
        <IconButton icon={playing ? Pause : Play} label={playing ? text.pause : text.play} onClick={() => setPlaying(!playing)} />
        <input
          type="range"
          min={0}
          max={rows - 1}
          value={row ?? 0}
          aria-label={text.label}
          aria-valuetext={token ? answer.slice(token.start, token.end) : text.everything}
          className="min-w-40 flex-1"
          onChange={(event) => choose({ row: Number(event.target.value) })}
        />
        <Button onClick={() => choose({ row: null })} disabled={row === null}>
          {text.everything}
        </Button>
        <Button onClick={() => after(({ logprob }) => logprob < Math.log(0.5))}>{text.unsure}</Button>
        <Button onClick={() => after((one) => documentShare(one) > 1.5 * meanFar)}>{text.far}</Button>
      </div>
      <p className="prose selectable pb-3">
        {evidence.tokens.map(({ start, end }, index) => (
          <span key={start} data-current={index === row || undefined} className={index === row ? 'rounded-sm bg-accent-soft outline outline-1 outline-accent' : undefined}>
            {answer.slice(start, end)}
          </span>
        ))}
      </p>
      <Ribbons evidence={evidence} answer={answer} />
      <Bars tokens={evidence.tokens} row={row} answer={answer} />
      <ZoneSplit evidence={evidence} token={token} />
    </div>
  );
}

/** A mean over the groups of layers. */
function documentShare({ zones }: EvidenceToken): number {
  return zones.reduce((sum, { document }) => sum + document, 0) / Math.max(1, zones.length);
}

function Bars({ tokens, row, answer }: { tokens: readonly EvidenceToken[]; row: number | null; answer: string }) {
  const most = Math.max(0.01, ...tokens.map(documentShare));
  const lines = [
    { label: text.document, value: (token: EvidenceToken) => documentShare(token) / most, colour: 'bg-part-document' },
    { label: text.certainty, value: (token: EvidenceToken) => Math.exp(token.logprob), colour: 'bg-part-history' },
  ];
  return (
    <div className="space-y-2 pb-4">
      {lines.map(({ label, value, colour }) => (
        <div key={label}>
          <p className="text-small text-faint">{label}</p>
          <div className="flex h-14 items-end gap-px border-b border-line">
            {tokens.map((token, index) => (
              <button
                key={token.start}
                type="button"
                tabIndex={-1}
                aria-hidden
                title={`${answer.slice(token.start, token.end)} ${inspectorStrings.percent(label === text.document ? documentShare(token) : Math.exp(token.logprob))}`}
                className={`min-w-0 flex-1 ${colour} ${index === row ? '' : 'opacity-60'} hover:opacity-100`}
                style={{ height: `${Math.max(2, 100 * value(token))}%` }}
                onClick={() => inspectorStore.getState().choose({ row: index })}
              />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}
