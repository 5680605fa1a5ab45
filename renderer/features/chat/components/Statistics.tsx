import { clsx } from 'clsx';
import type { AnswerStatistics } from '../../../../host/contract/entities.ts';
import { formatCount, formatDuration, formatRate } from '../../../app/format.ts';
import { Popover } from '../../../ui/Popover.tsx';
import { chatStrings } from '../strings.ts';

const text = chatStrings.statistics;

function perSecond(tokens: number, milliseconds: number): string | null {
  return tokens > 0 && milliseconds > 0 ? formatRate((tokens * 1000) / milliseconds) : null;
}

/** One quiet line after the model's name; all the numbers when it is pressed. `quiet`: only when pointed at. */
export function Statistics({ statistics, quiet }: { statistics: AnswerStatistics; quiet: boolean }) {
  const { answerTokens, answeringMs, promptTokens, reusedTokens, readingMs, stopReason } = statistics;
  const rate = perSecond(answerTokens, answeringMs);
  const readTokens = Math.max(0, promptTokens - reusedTokens);
  const line = [
    rate ? text.answer(formatCount(answerTokens), rate) : text.answerWithoutRate(formatCount(answerTokens)),
    text.read(formatCount(readTokens), formatDuration(readingMs / 1000)),
    ...(reusedTokens > 0 ? [text.reused(formatCount(reusedTokens))] : []),
    text.stopReason(stopReason),
  ];
  return (
    <Popover
      label={text.label}
      align="start"
      side="top"
      className="p-3"
      trigger={
        <button
          type="button"
          data-testid="statistics"
          className={clsx(
            "flex flex-wrap gap-x-2 rounded-sm px-1 text-left tabular-nums transition-opacity hover:text-text [&>span]:before:mr-2 [&>span]:before:content-['·']",
            quiet && 'opacity-0 group-focus-within/footer:opacity-100 group-hover/footer:opacity-100',
          )}
        >
          {line.map((part) => (
            <span key={part}>{part}</span>
          ))}
        </button>
      }
    >
      <StatisticsTable statistics={statistics} />
    </Popover>
  );
}

function StatisticsTable({ statistics }: { statistics: AnswerStatistics }) {
  const { modelName, answerTokens, answeringMs, promptTokens, reusedTokens, readingMs, stopReason } = statistics;
  const readTokens = Math.max(0, promptTokens - reusedTokens);
  const withRate = (tokens: number, milliseconds: number) => {
    const rate = perSecond(tokens, milliseconds);
    return rate ? text.tokensAndRate(formatCount(tokens), rate) : text.tokens(formatCount(tokens));
  };
  const rows: [string, string][] = [
    [text.rows.model, modelName],
    [text.rows.prompt, text.tokens(formatCount(promptTokens))],
    [text.rows.reused, text.tokens(formatCount(reusedTokens))],
    [text.rows.read, withRate(readTokens, readingMs)],
    [text.rows.reading, formatDuration(readingMs / 1000)],
    [text.rows.answer, withRate(answerTokens, answeringMs)],
    [text.rows.answering, formatDuration(answeringMs / 1000)],
    [text.rows.stop, text.stopReason(stopReason)],
  ];
  return (
    <table className="selectable tabular-nums">
      <tbody>
        {rows.map(([label, value]) => (
          <tr key={label}>
            <th scope="row" className="py-0.5 pr-6 text-left font-normal text-quiet">
              {label}
            </th>
            <td className="py-0.5 text-right">{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
