/**
 * What the next prompt takes of the context: a slim bar by part, and where it does not fit the GPU, a slimmer one by
 * tier; pressed, a table with every number.
 */
import { clsx } from 'clsx';
import { useView } from '../../../app/view.ts';
import { formatCount, formatWait, fractionOf } from '../../../app/format.ts';
import { said } from '../../../app/said/said.ts';
import { Notice } from '../../../ui/Notice.tsx';
import { Popover } from '../../../ui/Popover.tsx';
import { Tooltip } from '../../../ui/Tooltip.tsx';
import { useSettings } from '../../settings/store.ts';
import { type MeterSummary, summarise } from '../meterParts.ts';
import { useActiveMeter, useActiveModel, useMeterFailure } from '../hooks/useChatContext.ts';
import { useChat } from '../store.ts';
import { chatStrings } from '../strings.ts';
import { ContextTable } from './ContextTable.tsx';
import { partColours, tierColours } from './partColours.ts';

const text = chatStrings.meter;

export function ContextBar() {
  const meter = useActiveMeter();
  const model = useActiveModel();
  const failure = useMeterFailure();
  // The first count loads the model, which takes a while.
  const waiting = useChat((state) => state.activeId !== null) && model !== null;
  const open = useView((state) => state.meterOpen);
  const setOpen = useView((state) => state.setMeterOpen);
  const summary = meter && summarise(meter);
  return (
    <Popover
      label={text.label}
      side="top"
      align="start"
      open={open}
      onOpenChange={setOpen}
      className="w-[min(26rem,94vw)] p-3"
      trigger={
        <button type="button" data-testid="context-bar" aria-label={summary ? accessibleName(summary) : text.show} className="group block w-full rounded-sm pb-1 text-left">
          <Bar summary={summary} />
          <span className="flex h-4 items-center justify-between gap-4 text-tiny text-faint tabular-nums group-hover:text-text">
            {failure ? <span className="truncate text-danger-text">{said(failure.message)}</span> : <Numbers summary={summary} waiting={waiting} />}
          </span>
        </button>
      }
    >
      {meter && summary ? (
        <ContextTable meter={meter} summary={summary} />
      ) : failure ? (
        <Notice tone="danger" message={failure.message} remedy={failure.remedy} />
      ) : (
        <p className="text-quiet">{waiting ? text.waitingForModel : model ? text.none : text.noModel}</p>
      )}
    </Popover>
  );
}

function accessibleName(summary: MeterSummary): string {
  const used = text.used(formatCount(summary.usedTokens), formatCount(summary.windowTokens));
  return [`${text.label}: ${used}`, ...tierWords(summary)].join(', ');
}

/** How much is beyond the model's training and beyond the GPU, if anything, and that nothing is dropped. */
function tierWords({ tiers, offloadedTokens, droppedTokens, untrainedTokens, evicted }: MeterSummary): string[] {
  const resident = tiers.find(({ kind }) => kind === 'resident')?.tokens ?? 0;
  const beyondTraining = untrainedTokens > 0 ? [text.untrained(formatCount(untrainedTokens))] : [];
  return [...beyondTraining, ...(offloadedTokens > 0 ? [text.beyond(formatCount(resident), formatCount(offloadedTokens))] : []), evicted.tokens > 0 ? text.evicted(formatCount(evicted.tokens), evicted.layers) : text.dropped(formatCount(droppedTokens))];
}

function Bar({ summary }: { summary: MeterSummary | null }) {
  return (
    <span className="flex h-4 flex-col justify-center gap-[3px]">
      <span className={clsx('flex h-1.5 w-full gap-px overflow-hidden rounded-full bg-pressed', summary && summary.excessTokens > 0 && 'ring-1 ring-danger')}>
        {summary?.parts
          .filter(({ tokens }) => tokens > 0)
          .map((part) => (
            <Tooltip key={part.key} side="top" content={<span className="tabular-nums">{text.segment(part.label, formatCount(part.tokens))}</span>}>
              <span data-part={part.kind} className={clsx('h-full min-w-[2px]', partColours[part.kind], part.kind === 'free' && 'flex-1')} style={{ width: `${part.share * 100}%` }} />
            </Tooltip>
          ))}
      </span>
      {summary && summary.offloadedTokens > 0 && <Tiers summary={summary} />}
    </span>
  );
}

function Tiers({ summary: { tiers, usedTokens, windowTokens } }: { summary: MeterSummary }) {
  const promptTokens = tiers.reduce((sum, { tokens }) => sum + tokens, 0);
  return (
    <span className="flex h-[3px] gap-px overflow-hidden rounded-full" style={{ width: `${(promptTokens / Math.max(windowTokens, usedTokens)) * 100}%` }}>
      {tiers
        .filter(({ tokens }) => tokens > 0)
        .map((tier) => (
          <Tooltip key={tier.kind} side="top" content={<span className="tabular-nums">{text.segment(tier.label, formatCount(tier.tokens))}</span>}>
            <span data-tier={tier.kind} className={clsx('h-full min-w-[2px]', tierColours[tier.kind])} style={{ width: `${tier.share * 100}%` }} />
          </Tooltip>
        ))}
    </span>
  );
}

function Numbers({ summary, waiting }: { summary: MeterSummary | null; waiting: boolean }) {
  const loading = useSettings((state) => state.worker.loading);
  if (!summary) {
    if (!waiting) return <span>{text.label}</span>;
    return <span>{loading ? text.loadingModel(Math.floor((fractionOf(loading.doneBytes, loading.totalBytes) ?? 0) * 100)) : text.waiting}</span>;
  }
  const { usedTokens, windowTokens, excessTokens, unreadTokens, readingSeconds } = summary;
  if (excessTokens > 0) {
    return <span className="font-medium text-danger-text">{text.over(formatCount(usedTokens), formatCount(windowTokens), formatCount(excessTokens))}</span>;
  }
  return (
    <>
      <span className="flex min-w-0 gap-x-2 truncate [&>span+span]:before:mr-2 [&>span+span]:before:content-['·']">
        <span>{text.used(formatCount(usedTokens), formatCount(windowTokens))}</span>
        {tierWords(summary).map((words) => (
          <span key={words} className={clsx('truncate', summary.droppedTokens + summary.evicted.tokens > 0 && 'last:font-medium last:text-warning-text')}>
            {words}
          </span>
        ))}
      </span>
      {readingSeconds !== null && (
        <span className="shrink-0">{unreadTokens === 0 ? text.nothingToRead : text.reading(formatWait(readingSeconds))}</span>
      )}
    </>
  );
}
