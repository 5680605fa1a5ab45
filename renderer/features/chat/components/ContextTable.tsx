import { clsx } from 'clsx';
import type { ReactNode } from 'react';
import type { ContextMeter } from '../../../../host/contract/entities.ts';
import { formatCount, formatDuration } from '../../../app/format.ts';
import type { MeterSummary, PartKind } from '../meterParts.ts';
import { chatStrings } from '../strings.ts';
import { LayerSight } from '../../models/components/LayerSight.tsx';
import { policyStrings } from '../policyStrings.ts';
import { partColours, tierColours } from './partColours.ts';

const text = chatStrings.meter;
/** Too pale to be seen without an edge. */
const outlined = new Set<PartKind>(['free', 'reserve']);

export function ContextTable({ meter, summary }: { meter: ContextMeter; summary: MeterSummary }) {
  const percent = (share: number) => text.percent((share * 100).toFixed(1));
  return (
    <div className="selectable">
      <table className="w-full tabular-nums" aria-label={text.label}>
        <thead>
          <tr className="text-tiny text-faint">
            <th scope="col" className="pb-1 text-left font-medium">
              {text.columns.part}
            </th>
            <th scope="col" className="pb-1 text-right font-medium">
              {text.columns.tokens}
            </th>
            <th scope="col" className="w-16 pb-1 text-right font-medium">
              {text.columns.share}
            </th>
          </tr>
        </thead>
        <tbody>
          {summary.parts.map((part) => (
            <tr key={part.key} data-part={part.kind}>
              <th scope="row" className="py-0.5 text-left font-normal break-words normal-nums">
                <span className={clsx('mr-2 inline-block size-2.5 rounded-[2px]', partColours[part.kind], outlined.has(part.kind) && 'border border-line-strong')} aria-hidden />
                {part.label}
              </th>
              <td className="py-0.5 text-right">{formatCount(part.tokens)}</td>
              <td className="py-0.5 text-right text-quiet">{percent(part.share)}</td>
            </tr>
          ))}
          <tr className="border-t border-line">
            <th scope="row" className="pt-1 text-left font-medium">
              {text.parts.window}
            </th>
            <td className="pt-1 text-right font-medium">{formatCount(meter.windowTokens)}</td>
            <td className="pt-1 text-right text-quiet">{percent(1)}</td>
          </tr>
        </tbody>
      </table>
      {meter.trainedTokens < meter.windowTokens && (
        <p className={clsx('mt-2 text-small', summary.untrainedTokens > 0 ? 'text-warning-text' : 'text-quiet')}>{text.trainedOn(formatCount(meter.trainedTokens))}</p>
      )}
      <TierTable meter={meter} summary={summary} />
      <LayerSight layers={meter.layers} className="mt-2.5 border-t border-line pt-2" />
      <dl className="mt-2.5 border-t border-line pt-2 tabular-nums">
        <Fact label={text.cachedRow}>{formatCount(meter.cachedTokens)}</Fact>
        <Fact label={text.toRead}>{formatCount(summary.unreadTokens)}</Fact>
        <Fact label={text.estimate}>{summary.readingSeconds === null ? text.unknownSpeed : formatDuration(summary.readingSeconds)}</Fact>
      </dl>
    </div>
  );
}

/** Where the prompt will lie. What a policy does with the part beyond the GPU is only told where there is one. */
function TierTable({ meter: { tiers }, summary }: { meter: ContextMeter; summary: MeterSummary }) {
  const shown = summary.tiers.filter(({ kind }) => summary.offloadedTokens > 0 || kind === 'resident' || kind === 'dropped');
  return (
    <table className="mt-2.5 w-full border-t border-line tabular-nums" aria-label={text.tiersTitle}>
      <thead>
        <tr className="text-tiny text-faint">
          <th scope="col" className="pt-2 pb-1 text-left font-medium">
            {text.tiersTitle}
          </th>
          <th scope="col" className="pt-2 pb-1 text-right font-medium">
            {text.columns.tokens}
          </th>
        </tr>
      </thead>
      <tbody>
        {shown.map(({ kind, label, tokens }) => (
          <tr key={kind} data-tier={kind}>
            <th scope="row" className="py-0.5 pr-4 text-left font-normal">
              <span className="flex gap-2">
                <span className={clsx('mt-[0.3125rem] size-2.5 shrink-0 rounded-[2px]', tierColours[kind])} aria-hidden />
                {kind === 'dropped' && tiers.droppedBecause ? text.droppedWhy(tiers.droppedBecause) : label}
              </span>
            </th>
            <td className={clsx('py-0.5 text-right align-top', kind === 'dropped' && tokens > 0 && 'font-medium text-warning-text')}>{formatCount(tokens)}</td>
          </tr>
        ))}
        {summary.evicted.tokens > 0 && (
          <tr data-tier="evicted">
            <th scope="row" className="py-0.5 pr-4 pl-4.5 text-left font-normal">
              {text.evictedWhy(summary.evicted.layers)}
            </th>
            <td className="py-0.5 text-right align-top font-medium text-warning-text">{text.atLeast(formatCount(summary.evicted.tokens))}</td>
          </tr>
        )}
        {summary.offloadedTokens > 0 && (
          <>
            <tr className="border-t border-line">
              <th scope="row" className="pt-1 text-left font-normal text-quiet">
                {text.offloaded}
              </th>
              <td className="pt-1 text-right">{formatCount(summary.offloadedTokens)}</td>
            </tr>
            <tr>
              <th scope="row" className="py-0.5 text-left font-normal text-quiet">
                {text.policyRow}
              </th>
              <td className="py-0.5 text-right">{policyStrings[tiers.policy].name}</td>
            </tr>
          </>
        )}
      </tbody>
    </table>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-4 py-0.5">
      <dt className="text-quiet">{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
