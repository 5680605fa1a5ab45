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
}

export const thresholds = {
  verified: { alignment: 0.75, share: 0.05, drop: 0.5 },
  attended: { share: 0.25, drop: 2 },
  /** Without a trial only what nearly all attention falls on. */
  untried: { share: 0.5 },
};

export function gradeOf({ alignment, share, drop }: CitationSigns): CitationGrade {
  const { verified, attended, untried } = thresholds;
  if (alignment >= verified.alignment && share >= verified.share && (drop ?? Infinity) >= verified.drop) return 'verified';
  const enough = drop === null ? share >= untried.share : share >= attended.share && drop >= attended.drop;
  return enough ? 'attended' : 'none';
}
