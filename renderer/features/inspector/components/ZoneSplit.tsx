/** Sinks, recent, documents and the rest by groups of layers, in numbers. */
import type { AnswerEvidence, EvidenceToken, Zones } from '../../../../host/contract/inspection.ts';
import { inspectorStrings } from '../strings.ts';

const text = inspectorStrings.timeline;
export const zoneNames = ['sinks', 'recent', 'document', 'other'] as const;
export const zoneColours: Record<(typeof zoneNames)[number], string> = { sinks: 'bg-part-system', recent: 'bg-part-history', document: 'bg-part-document', other: 'bg-part-question' };

/** Of one token, or of all (null). */
export function ZoneSplit({ evidence, token }: { evidence: AnswerEvidence; token: EvidenceToken | null }) {
  const tokens = token ? [token] : evidence.tokens;
  const meanOf = (group: number, name: keyof Zones): number => tokens.reduce((sum, { zones }) => sum + zones[group][name], 0) / Math.max(1, tokens.length);
  return (
    <section aria-labelledby="attention-split">
      <h2 id="attention-split" className="pb-1 text-body font-semibold">
        {text.split}
      </h2>
      <table className="w-full text-small tabular-nums" data-testid="zones">
        <thead>
          <tr className="text-faint [&>th]:py-1 [&>th]:pr-3 [&>th]:text-left [&>th]:font-normal">
            <th scope="col">{text.group}</th>
            <th scope="col" className="w-1/3">
              <span className="sr-only">{text.split}</span>
            </th>
            {zoneNames.map((name) => (
              <th key={name} scope="col">
                <span aria-hidden className={`mr-1.5 inline-block size-2 rounded-full ${zoneColours[name]}`} />
                {text.zones[name]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {evidence.groups.map(({ name, kind }, group) => (
            <tr key={name} className="border-t border-line [&>td]:py-1.5 [&>td]:pr-3">
              <th scope="row" className="pr-3 text-left font-normal whitespace-nowrap" title={kind === 'sliding' ? text.windowNote : undefined}>
                {name}
              </th>
              <td>
                <span aria-hidden className="flex h-2.5 overflow-hidden rounded-sm">
                  {zoneNames.map((zone) => (
                    <span key={zone} className={zoneColours[zone]} style={{ width: `${100 * meanOf(group, zone)}%` }} />
                  ))}
                </span>
              </td>
              {zoneNames.map((zone) => (
                <td key={zone}>{inspectorStrings.percent(meanOf(group, zone))}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
