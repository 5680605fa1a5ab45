/** Stacked sources: which are stored alike, and which of their rows make up a range of columns. */
import { sameFormat, type WeightFormat } from './format.ts';
import { rowsOf, type SourceMatrix } from './matrix.ts';
import type { StoredRange } from './repack.ts';

/** Sources one behind the other that are stored alike. */
export interface FormatRun {
  format: WeightFormat;
  sources: SourceMatrix[];
  firstOutput: number;
  columns: number;
}

export function runsOfEqualFormat(sources: readonly SourceMatrix[], formatOfSource: (source: SourceMatrix) => WeightFormat): FormatRun[] {
  const runs: FormatRun[] = [];
  let firstOutput = 0;
  for (const source of sources) {
    const format = formatOfSource(source);
    const last = runs.at(-1);
    if (last && sameFormat(last.format, format)) {
      last.sources.push(source);
      last.columns += rowsOf(source);
    } else {
      runs.push({ format, sources: [source], firstOutput, columns: rowsOf(source) });
    }
    firstOutput += rowsOf(source);
  }
  return runs;
}

export interface SourceRange<Source> extends Omit<StoredRange, 'source'> {
  source: Source;
}

/** Which rows of which sources make up `count` columns from `first` of their concatenation. */
export function rangesWithin<Source extends SourceMatrix>(sources: readonly Source[], first: number, count: number): SourceRange<Source>[] {
  const ranges: SourceRange<Source>[] = [];
  let start = 0;
  for (const source of sources) {
    const from = Math.max(first, start);
    const to = Math.min(first + count, start + rowsOf(source));
    if (from < to) ranges.push({ source, firstRow: from - start, rows: to - from, column: from - first });
    start += rowsOf(source);
  }
  return ranges;
}
