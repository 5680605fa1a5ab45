/** Every number of an answer: what was read, from where, and what attention did with it. */
import type { AnswerStatistics, PolicyOutcome } from '../../../../host/contract/entities.ts';
import { formatBytes, formatCount, formatDuration } from '../../../app/format.ts';
import { policyStrings } from '../policyStrings.ts';
import { perSecond } from '../rates.ts';
import { chatStrings } from '../strings.ts';

const text = chatStrings.statistics;

type Row = [label: string, value: string];

export function StatisticsTable({ statistics }: { statistics: AnswerStatistics }) {
  const { policy } = statistics;
  return (
    <div className="selectable max-w-[min(27rem,88vw)]">
      <table className="tabular-nums">
        <tbody>
          {[...readingRows(statistics), ...(policy ? policyRows(policy) : [])].map(([label, value]) => (
            <tr key={label}>
              <th scope="row" className="py-0.5 pr-6 text-left align-top font-normal whitespace-nowrap text-quiet">
                {label}
              </th>
              <td className="py-0.5 text-right">{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {policy && isBeyondGpu(policy) && <p className="mt-1.5 text-small text-faint">{text.perStep}</p>}
    </div>
  );
}

function readingRows({ sparselyRead, modelName, answerTokens, answeringMs, promptTokens, reusedTokens, keptTokens, readingMs, stopReason }: AnswerStatistics): Row[] {
  const withRate = (tokens: number, milliseconds: number) => {
    const rate = perSecond(tokens, milliseconds);
    return rate ? text.tokensAndRate(formatCount(tokens), rate) : text.tokens(formatCount(tokens));
  };
  return present([
    [text.rows.model, modelName],
    [text.rows.prompt, text.tokens(formatCount(promptTokens))],
    keptTokens > 0 && [text.rows.kept, text.tokens(formatCount(keptTokens))],
    [text.rows.reused, text.tokens(formatCount(reusedTokens - keptTokens))],
    [text.rows.read, withRate(Math.max(0, promptTokens - reusedTokens), readingMs)],
    sparselyRead !== null && [text.rows.sparselyRead, text.sparselyRead(formatCount(sparselyRead.tokens), Math.round(100 * sparselyRead.share))],
    [text.rows.reading, formatDuration(readingMs / 1000)],
    [text.rows.answer, withRate(answerTokens, answeringMs)],
    [text.rows.answering, formatDuration(answeringMs / 1000)],
    [text.rows.stop, text.stopReason(stopReason)],
  ]);
}

/** Which tiers the keys were in, and what became of them. */
function policyRows(policy: PolicyOutcome): Row[] {
  const { name, totalKeys, exactKeys, estimatedKeys, missedKeys, droppedKeys, droppedBecause, hitRatio, gpuBytes, ramBytes, diskBytes, ramReadBytes, diskReadBytes } = policy;
  const beyond = isBeyondGpu(policy);
  const tiers = [
    gpuBytes > 0 && text.tierGpu(formatBytes(gpuBytes)),
    ramBytes > 0 && text.tierRam(formatBytes(ramBytes)),
    diskBytes > 0 && text.tierDisk(formatBytes(diskBytes)),
  ].filter((tier) => tier !== false);
  return present([
    tiers.length > 0 && [text.rows.tier, tiers.join(', ')],
    beyond && [text.rows.policy, policyStrings[name].name],
    [text.rows.exact, text.of(formatCount(exactKeys), formatCount(totalKeys))],
    beyond && [text.rows.estimated, text.tokens(formatCount(estimatedKeys))],
    missedKeys > 0 && [text.rows.missed, text.tokens(formatCount(missedKeys))],
    [text.rows.dropped, droppedBecause ? text.droppedBecause(formatCount(droppedKeys), droppedBecause) : formatCount(droppedKeys)],
    hitRatio !== null && [text.rows.hits, text.percent(Math.round(100 * hitRatio))],
    beyond && [text.rows.fetched, text.fetched(formatBytes(ramReadBytes), formatBytes(diskReadBytes))],
  ]);
}

function isBeyondGpu({ exactKeys, totalKeys, ramBytes, diskBytes }: PolicyOutcome): boolean {
  return exactKeys < totalKeys || ramBytes > 0 || diskBytes > 0;
}

function present(rows: readonly (Row | false)[]): Row[] {
  return rows.filter((row) => row !== false);
}
