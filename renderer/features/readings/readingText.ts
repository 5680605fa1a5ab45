/** A reading in words: how far, how fast, how long yet. */
import type { Reading } from '../../../host/contract/entities.ts';
import { formatCount, formatRate, formatWait, fractionOf } from '../../app/format.ts';
import { readingsStrings as text } from './strings.ts';

export function readingDetails({ state, doneTokens, totalTokens, tokensPerSecond, secondsLeft }: Reading): string[] {
  const details: string[] = [];
  if (totalTokens > 0 && (doneTokens > 0 || state === 'reading')) details.push(text.tokens(formatCount(doneTokens), formatCount(totalTokens)));
  if (state === 'reading' && tokensPerSecond !== null) details.push(text.rate(formatRate(tokensPerSecond)));
  if (state === 'reading' && secondsLeft !== null && tokensPerSecond !== null) details.push(text.left(formatWait(secondsLeft)));
  if (state === 'queued' && doneTokens > 0) details.push(text.queuedBehindAnswer);
  return details;
}

/** null: how long it will be is not known. */
export function readingFraction({ state, doneTokens, totalTokens }: Reading): number | null {
  if (state === 'loading') return null;
  return fractionOf(doneTokens, totalTokens) ?? (state === 'reading' ? null : 0);
}

/** 100 only when it is read to its end. */
export function readingPercent(reading: Reading): number {
  return Math.min(reading.state === 'done' ? 100 : 99, Math.floor(100 * (fractionOf(reading.doneTokens, reading.totalTokens) ?? 0)));
}

export function readingStatus(reading: Reading, name: string): string {
  return reading.state === 'reading' ? text.status.reading(name, readingPercent(reading)) : reading.state === 'done' ? text.announce.done(name) : text.status[reading.state](name);
}
