/**
 * What a citation is worth. A wrong source is worse than none: whatever is not sure is `none`. The thresholds were
 * chosen on SQuAD paragraphs hidden in novels (bench/citations.ts).
 */
import type { CitationGrade } from '../contract/inspection.ts';

export interface CitationSigns {
  /** Of the claim's words in the passage, 0 to 1. */
  alignment: number;
  /** Of the attention to the documents that falls on the passage, 0 to 1. */
  share: number;
  /** Nats that the claim loses without the passage; null where that was not tried. */
  drop: number | null;
  /** Whether the passage, or what surrounds it, speaks of what was asked. */
  relevant: boolean;
}

export const thresholds = {
  verified: { alignment: 0.75, share: 0.05, drop: 0.5 },
  attended: { alignment: 0.3, share: 0.25, drop: 2 },
  /** What is looked at and needed so much counts without any words. */
  wordless: { share: 0.5, drop: 6 },
  /** Without a trial only what nearly all attention falls on. */
  untried: { share: 0.5 },
};

export type Thresholds = typeof thresholds;

export function gradeOf({ alignment, share, drop, relevant }: CitationSigns, { verified, attended, wordless, untried }: Thresholds = thresholds): CitationGrade {
  // Models answer with whatever stands somewhere when they do not know.
  if (!relevant) return 'none';
  if (alignment >= verified.alignment && share >= verified.share && (drop ?? Infinity) >= verified.drop) return 'verified';
  if (drop === null) return alignment >= attended.alignment && share >= untried.share ? 'attended' : 'none';
  const some = alignment >= attended.alignment && share >= attended.share && drop >= attended.drop;
  return some || (share >= wordless.share && drop >= wordless.drop) ? 'attended' : 'none';
}
