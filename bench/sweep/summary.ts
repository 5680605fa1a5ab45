/** The figures of bench/sweep.ts. */
import { ratio } from '../inspection/quantiles.ts';

export interface DocumentLine {
  document: number;
  characters: number;
  windows: number;
  records: number;
  /** Records that the model said word for word when it was shown their window alone. */
  foundAlone: number;
  /** Of those, in the list word for word. */
  listed: number;
  /** Records that items of the list give, rightly or not, and those that more than one gives. */
  listedInAll: number;
  twice: number;
  /** Items of the list, those without a sentence that says them, and those that no window gave alone. */
  items: number;
  unverified: number;
  invented: number;
  /** Sentences cited by items that name a record, and those that are that record. */
  cited: number;
  citedRight: number;
  /** Each character is in one window, each window read, and said to have given something exactly where it did. */
  coverageExact: boolean;
  /** Windows that were done when the host was closed in between. */
  interruptedAfter: number;
  /** The list, and what the model answered to each window alone. */
  swept: readonly string[];
  alone: readonly string[];
  seconds: number;
}

export function summarise(lines: readonly DocumentLine[]): Record<string, unknown> {
  const sum = (count: (line: DocumentLine) => number): number => lines.reduce((all, line) => all + count(line), 0);
  return {
    documents: lines.length,
    records: sum(({ records }) => records),
    foundAlone: sum(({ foundAlone }) => foundAlone),
    listedOfFoundAlone: ratio(sum(({ listed }) => listed), sum(({ foundAlone }) => foundAlone)),
    listedOfAll: ratio(sum(({ listedInAll }) => listedInAll), sum(({ records }) => records)),
    twice: sum(({ twice }) => twice),
    items: sum(({ items }) => items),
    unverified: sum(({ unverified }) => unverified),
    invented: sum(({ invented }) => invented),
    citationsRight: ratio(sum(({ citedRight }) => citedRight), sum(({ cited }) => cited)),
    coverageExact: lines.filter(({ coverageExact }) => coverageExact).length,
    secondsADocument: sum(({ seconds }) => seconds) / Math.max(1, lines.length),
  };
}
