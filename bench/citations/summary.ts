/** The figures of bench/citations.ts. */
import { headOverlap } from '../inspection/headOverlap.ts';
import { quantiles, ratio } from '../inspection/quantiles.ts';

export interface Chip {
  grade: 'verified' | 'attended' | 'none';
  /** Its passage overlaps the hidden one. */
  right: boolean;
  share: number;
  alignment: number;
  drop: number | null;
  /** What grades are computed from again when they change. */
  claim: string;
  passage: string;
  around: string;
}

export interface CaseLine {
  seed: number;
  question: string;
  answer: string;
  text: string;
  correct: boolean;
  chips: Chip[];
  bm25Right: boolean;
  peakRight: boolean;
  /** Nats that the answer loses without the hidden passage, and without another. */
  lost: number;
  lostOther: number;
  /** The strongest retrieval heads: layer, head, copy score. */
  heads: readonly (readonly [number, number, number])[];
  /** The same where the passage was never there. */
  goneText: string;
  goneCorrect: boolean;
  goneChips: Chip[];
  seconds: number;
}

export function summarise(lines: readonly CaseLine[]): Record<string, unknown> {
  const right = lines.filter(({ correct }) => correct);
  const chips = (some: readonly CaseLine[], grade: Chip['grade']): Chip[] => some.flatMap((line) => line.chips.filter((chip) => chip.grade === grade));
  const cited = (line: CaseLine): boolean => line.chips.some(({ grade }) => grade !== 'none');
  const precision = (some: readonly Chip[]) => ({ chips: some.length, right: some.filter((chip) => chip.right).length, precision: ratio(some.filter((chip) => chip.right).length, some.length) });
  return {
    cases: lines.length,
    correct: right.length,
    verified: precision(chips(lines, 'verified')),
    attended: precision(chips(lines, 'attended')),
    /** Of the questions answered correctly, those with a chip. */
    coverage: ratio(right.filter(cited).length, right.length),
    bm25Precision: ratio(lines.filter(({ bm25Right }) => bm25Right).length, lines.length),
    bm25PrecisionOfCorrect: ratio(right.filter(({ bm25Right }) => bm25Right).length, right.length),
    peakRight: ratio(right.filter(({ peakRight }) => peakRight).length, right.length),
    nothingCitedWithoutPassage: ratio(lines.filter(({ goneChips }) => goneChips.every(({ grade }) => grade === 'none')).length, lines.length),
    lost: quantiles(right.map(({ lost }) => lost)),
    lostOther: quantiles(right.map(({ lostOther }) => lostOther)),
    ...headOverlap(right.slice(0, 20).map(({ heads }) => heads)),
    secondsACase: lines.reduce((sum, { seconds }) => sum + seconds, 0) / Math.max(1, lines.length),
  };
}
