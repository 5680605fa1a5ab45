/** Every head of the model as a small field, by what it does; some can be chosen for the map. */
import { clsx } from 'clsx';
import { useMemo, useState } from 'react';
import type { AnswerEvidence, HeadStatistics, HeadType } from '../../../../host/contract/inspection.ts';
import { Button } from '../../../ui/Button.tsx';
import { useActiveMeter } from '../../chat/hooks/useChatContext.ts';
import { unseenInWords } from '../../models/layerWords.ts';
import { css, viridis } from '../colours.ts';
import { inspectorStore } from '../store.ts';
import { inspectorStrings } from '../strings.ts';

const text = inspectorStrings.heads;
const typePlace: Record<HeadType, number> = { sink: 0.05, previous: 0.25, local: 0.4, mixed: 0.55, uniform: 0.65, document: 0.8, retrieval: 1 };
const strongest = 10;

const keyOf = ({ layer, head }: Pick<HeadStatistics, 'layer' | 'head'>): string => `${layer}.${head}`;

export function HeadAtlas({ evidence }: { evidence: AnswerEvidence }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const layers = useMemo(() => [...Map.groupBy(evidence.heads, ({ layer }) => layer).values()], [evidence.heads]);
  const unseen = unseenInWords(useActiveMeter()?.layers ?? []);
  const toggle = (head: HeadStatistics): void => {
    const next = new Set(chosen);
    if (!next.delete(keyOf(head))) next.add(keyOf(head));
    setChosen(next);
  };
  const show = (): void => {
    inspectorStore.getState().choose({ heads: evidence.heads.filter((head) => chosen.has(keyOf(head))).map(({ layer, head }) => ({ layer, head })) });
    inspectorStore.getState().show('map');
  };
  return (
    <div className="mx-auto flex max-w-[70rem] flex-wrap gap-8">
      <section aria-label={text.label} className="min-w-72 flex-1">
        <p className="pb-2 text-small text-quiet">{text.choose}</p>
        <ul className="flex flex-wrap gap-x-4 gap-y-1 pb-3 text-small text-quiet">
          {(Object.keys(typePlace) as HeadType[]).map((type) => (
            <li key={type} className="flex items-center gap-1.5">
              <span aria-hidden className="size-2.5 rounded-sm" style={{ background: css(viridis(typePlace[type])) }} />
              {text.types[type]}
            </li>
          ))}
        </ul>
        <table data-testid="head-atlas">
          <tbody>
            {layers.map((heads) => (
              <tr key={heads[0].layer}>
                <th scope="row" className="pr-3 text-right text-tiny font-normal whitespace-nowrap text-faint">
                  {text.layer(heads[0].layer)}
                  {heads[0].kind === 'sliding' && ` (${text.window})`}
                </th>
                {heads.map((head) => (
                  <td key={head.head} className="p-px">
                    <button
                      type="button"
                      aria-pressed={chosen.has(keyOf(head))}
                      aria-label={text.cell(head.layer, head.head, text.types[head.type], head.zones.document, head.copy)}
                      title={text.cell(head.layer, head.head, text.types[head.type], head.zones.document, head.copy)}
                      className={clsx(
                        'block h-4 w-6 rounded-sm aria-pressed:outline-2 aria-pressed:outline-offset-1 aria-pressed:outline-text',
                        head.retrieval && 'ring-2 ring-accent ring-inset',
                        // A window is a band: it cannot look further.
                        head.kind === 'sliding' && 'h-2',
                      )}
                      style={{ background: css(viridis(typePlace[head.type])) }}
                      onClick={() => toggle(head)}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {unseen && <p className="max-w-prose pt-2 text-small text-quiet">{unseen}</p>}
        <div className="flex items-center gap-2 pt-3">
          <Button variant="primary" disabled={chosen.size === 0} onClick={show}>
            {text.show}
          </Button>
          <Button disabled={chosen.size === 0} onClick={() => setChosen(new Set())}>
            {text.clear}
          </Button>
          <span className="text-small text-quiet">{chosen.size > 0 && text.chosen(chosen.size)}</span>
        </div>
      </section>
      <Strongest heads={evidence.heads} />
    </div>
  );
}

function Strongest({ heads }: { heads: readonly HeadStatistics[] }) {
  const best = [...heads].sort((a, b) => b.copy - a.copy).slice(0, strongest);
  const percent = inspectorStrings.percent;
  return (
    <section aria-labelledby="strongest-heads" className="min-w-72">
      <h2 id="strongest-heads" className="pb-1 text-body font-semibold">
        {text.strongest}
      </h2>
      <table className="text-small tabular-nums">
        <thead>
          <tr className="text-faint [&>th]:pr-4 [&>th]:text-left [&>th]:font-normal">
            {Object.values(text.columns).map((label) => (
              <th key={label} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {best.map((head) => (
            <tr key={keyOf(head)} className="border-t border-line [&>td]:py-1 [&>td]:pr-4">
              <th scope="row" className="pr-4 text-left font-normal">
                {head.layer + 1}·{head.head + 1}
              </th>
              <td>{text.types[head.type]}</td>
              <td>{percent(head.copy)}</td>
              <td>{percent(head.zones.document)}</td>
              <td>{percent(head.zones.sinks)}</td>
              <td>{percent(head.zones.recent)}</td>
              <td>{head.entropy.toFixed(1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
