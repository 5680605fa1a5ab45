import { clsx } from 'clsx';
import type { AnswerStatistics, PolicyOutcome } from '../../../../host/contract/entities.ts';
import { formatCount, formatDuration } from '../../../app/format.ts';
import { Popover } from '../../../ui/Popover.tsx';
import { perSecond } from '../rates.ts';
import { chatStrings } from '../strings.ts';
import { StatisticsTable } from './StatisticsTable.tsx';

const text = chatStrings.statistics;

/** One quiet line after the model's name; all the numbers when it is pressed. `quiet`: only when pointed at. */
export function Statistics({ statistics, quiet }: { statistics: AnswerStatistics; quiet: boolean }) {
  const { answerTokens, answeringMs, promptTokens, reusedTokens, keptTokens, policy, readingMs, stopReason } = statistics;
  const rate = perSecond(answerTokens, answeringMs);
  const readTokens = Math.max(0, promptTokens - reusedTokens);
  const line = [
    rate ? text.answer(formatCount(answerTokens), rate) : text.answerWithoutRate(formatCount(answerTokens)),
    text.read(formatCount(readTokens), formatDuration(readingMs / 1000)),
    ...(keptTokens > 0 ? [text.kept(formatCount(keptTokens))] : []),
    ...(reusedTokens > keptTokens ? [text.reused(formatCount(reusedTokens - keptTokens))] : []),
    ...(policy ? [attention(policy)] : []),
    text.stopReason(stopReason),
  ];
  const faded = quiet && 'opacity-0 transition-opacity group-focus-within/footer:opacity-100 group-hover/footer:opacity-100';
  return (
    <Popover
      label={text.label}
      align="start"
      side="top"
      className="p-3"
      trigger={
        <button type="button" data-testid="statistics" className={clsx('rounded-sm px-1 text-left tabular-nums hover:text-text', faded)}>
          <span className="dotted">
            {line.map((part) => (
              <span key={part}>{part}</span>
            ))}
          </span>
        </button>
      }
    >
      <StatisticsTable statistics={statistics} />
    </Popover>
  );
}

/** “attended to 1,452 of 6,630 exactly, 5,178 estimated, 0 dropped”. */
function attention({ totalKeys, exactKeys, estimatedKeys, missedKeys, droppedKeys }: PolicyOutcome): string {
  const total = formatCount(totalKeys);
  if (exactKeys === totalKeys) return text.attendedAll(total);
  const estimated = estimatedKeys > 0 ? [text.estimated(formatCount(estimatedKeys))] : [];
  const missed = missedKeys > 0 ? [text.missed(formatCount(missedKeys))] : [];
  return [text.attended(formatCount(exactKeys), total), ...estimated, ...missed, text.dropped(formatCount(droppedKeys))].join(', ');
}
