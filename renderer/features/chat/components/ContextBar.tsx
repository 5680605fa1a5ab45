/** What the next prompt takes of the context: a slim bar by part; pressed, a table with every number. */
import { clsx } from 'clsx';
import { useView } from '../../../app/view.ts';
import { formatCount, formatWait, fractionOf } from '../../../app/format.ts';
import { Notice } from '../../../ui/Notice.tsx';
import { Popover } from '../../../ui/Popover.tsx';
import { Tooltip } from '../../../ui/Tooltip.tsx';
import { useSettings } from '../../settings/store.ts';
import { type MeterSummary, summarise } from '../meterParts.ts';
import { useActiveMeter, useActiveModel, useMeterFailure } from '../hooks/useChatContext.ts';
import { useChat } from '../store.ts';
import { chatStrings } from '../strings.ts';
import { ContextTable } from './ContextTable.tsx';
import { partColours } from './partColours.ts';

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
            {failure ? <span className="truncate text-danger-text">{failure.message}</span> : <Numbers summary={summary} waiting={waiting} />}
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
  return `${text.label}: ${text.used(formatCount(summary.usedTokens), formatCount(summary.windowTokens))}`;
}

function Bar({ summary }: { summary: MeterSummary | null }) {
  return (
    <span className="flex h-4 items-center">
      <span className={clsx('flex h-1.5 w-full gap-px overflow-hidden rounded-full bg-pressed', summary && summary.excessTokens > 0 && 'ring-1 ring-danger')}>
        {summary?.parts
          .filter(({ tokens }) => tokens > 0)
          .map((part) => (
            <Tooltip key={part.key} side="top" content={<span className="tabular-nums">{text.segment(part.label, formatCount(part.tokens))}</span>}>
              <span data-part={part.kind} className={clsx('h-full min-w-[2px]', partColours[part.kind], part.kind === 'free' && 'flex-1')} style={{ width: `${part.share * 100}%` }} />
            </Tooltip>
          ))}
      </span>
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
  return (
    <>
      <span className={excessTokens > 0 ? 'font-medium text-danger-text' : undefined}>
        {excessTokens > 0 ? text.over(formatCount(usedTokens), formatCount(windowTokens), formatCount(excessTokens)) : text.used(formatCount(usedTokens), formatCount(windowTokens))}
      </span>
      {excessTokens === 0 && readingSeconds !== null && (
        <span>{unreadTokens === 0 ? text.nothingToRead : text.reading(formatWait(readingSeconds))}</span>
      )}
    </>
  );
}
