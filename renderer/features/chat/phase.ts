/** The words beside a running answer, from the host's progress. */
import type { AnswerProgress, ContextTiers } from '../../../host/contract/entities.ts';
import { formatBytes, formatCount, formatRate, formatWait, fractionOf } from '../../app/format.ts';
import { chatStrings } from './strings.ts';

const text = chatStrings.phases;

export interface PhaseText {
  title: string;
  details: string[];
  /** Undefined: no bar; null: a bar whose end is not known. */
  fraction?: number | null;
}

export function phaseText(progress: AnswerProgress | undefined): PhaseText {
  if (!progress) return { title: text.starting, details: [], fraction: null };
  const { phase, done, total, perSecond, secondsLeft } = progress;
  const left = secondsLeft === null ? [] : [text.left(formatWait(secondsLeft))];
  switch (phase) {
    case 'queued':
      return { title: text.queued, details: [text.queuedDetail], fraction: null };
    case 'loading':
      return {
        title: text.loading,
        details: [text.bytes(formatBytes(done), formatBytes(total)), ...(perSecond > 0 ? [text.byteRate(formatBytes(perSecond))] : []), ...left],
        fraction: fractionOf(done, total),
      };
    case 'reading':
      return {
        title: text.reading,
        details: [text.tokens(formatCount(done), formatCount(total)), ...(perSecond > 0 ? [text.tokenRate(formatRate(perSecond))] : []), ...left],
        fraction: fractionOf(done, total),
      };
    case 'answering':
      return {
        title: text.answering,
        details: [chatStrings.statistics.tokens(formatCount(done)), ...(perSecond > 0 ? [text.tokenRate(formatRate(perSecond))] : []), ...tierDetails(progress.tiers)],
      };
  }
}

/** Which tiers the answer comes from, and what is not attended to exactly. */
function tierDetails(tiers: ContextTiers | null): string[] {
  if (!tiers) return [];
  const { residentTokens, offloadedTokens, chosenTokens, estimatedTokens, droppedTokens } = tiers;
  const total = formatCount(residentTokens + offloadedTokens);
  if (offloadedTokens === 0) return [text.allOnGpu(total)];
  return [
    text.beyondGpu(formatCount(residentTokens + chosenTokens), total),
    ...(estimatedTokens > 0 ? [text.estimated(formatCount(estimatedTokens))] : []),
    text.dropped(formatCount(droppedTokens)),
  ];
}
