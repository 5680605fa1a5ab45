/** The figures of bench/citations.ts. */

export interface Chip {
  grade: 'verified' | 'attended' | 'none';
  /** Its passage overlaps the hidden one. */
  right: boolean;
  share: number;
  alignment: number;
  drop: number | null;
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
    ...headOverlap(right),
    secondsACase: lines.reduce((sum, { seconds }) => sum + seconds, 0) / Math.max(1, lines.length),
  };
}

/** Of the ten strongest heads, how many any two correctly answered documents have in common. */
function headOverlap(lines: readonly CaseLine[]): { headOverlap: ReturnType<typeof quantiles>; pairs: number } {
  const sets = lines.slice(0, 20).map(({ heads }) => new Set(heads.map(([layer, head]) => `${layer}.${head}`)));
  const overlaps = sets.flatMap((one, i) => sets.slice(i + 1).map((other) => [...one].filter((head) => other.has(head)).length));
  return { headOverlap: quantiles(overlaps), pairs: overlaps.length };
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? Math.round((1000 * part) / whole) / 1000 : null;
}

function quantiles(values: readonly number[]): { least: number; quarter: number; median: number; threeQuarters: number; most: number } | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => Math.round(100 * sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]) / 100;
  return { least: at(0), quarter: at(0.25), median: at(0.5), threeQuarters: at(0.75), most: at(1) };
}
