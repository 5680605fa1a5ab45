/**
 * Grades of cases that were computed before, by the thresholds of now and by others: those with the largest coverage that
 * keep what is promised on one half of the cases, and what they give on the other half.
 */
import { speaksOf, surroundingsOf } from '../../host/inspector/alignment.ts';
import { gradeOf, type Thresholds, thresholds } from '../../host/inspector/grades.ts';
import { type CaseLine, type Chip, summarise } from './summary.ts';

/** Beside the promise of 95 % room for chance. */
const wanted = { precision: 0.97, silent: 0.97 };

/** A case with its chips graded anew. */
export function regrade(line: CaseLine, limits: Thresholds): CaseLine {
  const again = (chip: Chip): Chip => ({ ...chip, grade: chip.around === '' ? 'none' : gradeOf({ ...chip, relevant: speaksOf(line.question, paragraphOf(chip)) }, limits) });
  return { ...line, chips: line.chips.map(again), goneChips: line.goneChips.map(again) };
}

/** Cases of before hold more of the text than the passage's paragraph. */
function paragraphOf({ around, passage }: Chip): string {
  const start = around.indexOf(passage);
  return start < 0 ? around : surroundingsOf(around, { start, end: start + passage.length });
}

interface Figures {
  verified: number | null;
  attended: number | null;
  coverage: number;
  silent: number;
}

function figuresOf(lines: readonly CaseLine[]): Figures {
  const precision = (grade: Chip['grade']): number | null => {
    const chips = lines.flatMap((line) => line.chips.filter((chip) => chip.grade === grade));
    return chips.length > 0 ? chips.filter(({ right }) => right).length / chips.length : null;
  };
  const share = (some: readonly CaseLine[], holds: (line: CaseLine) => boolean): number => some.filter(holds).length / Math.max(1, some.length);
  const cites = (chips: readonly Chip[]): boolean => chips.some(({ grade }) => grade !== 'none');
  return {
    verified: precision('verified'),
    attended: precision('attended'),
    coverage: share(lines.filter(({ correct }) => correct), ({ chips }) => cites(chips)),
    silent: share(lines, ({ goneChips }) => !cites(goneChips)),
  };
}

/** The tried thresholds with the largest coverage that keep the promise; null where none does. */
export function fitted(lines: readonly CaseLine[]): Thresholds | null {
  let best: { limits: Thresholds; coverage: number } | null = null;
  for (const limits of candidates()) {
    const { verified, attended, coverage, silent } = figuresOf(lines.map((line) => regrade(line, limits)));
    const kept = (verified ?? 1) >= wanted.precision && (attended ?? 1) >= wanted.precision && silent >= wanted.silent;
    if (kept && coverage > (best?.coverage ?? 0)) best = { limits, coverage };
  }
  return best?.limits ?? null;
}

export function regraded(lines: readonly CaseLine[]): Record<string, unknown> {
  const half = (odd: boolean): CaseLine[] => lines.filter(({ seed }) => seed % 2 === Number(odd));
  const limits = fitted(half(false));
  const by = (some: readonly CaseLine[], with_: Thresholds) => summarise(some.map((line) => regrade(line, with_)));
  return { now: by(lines, thresholds), fitted: limits, onFittedHalf: limits && by(half(false), limits), onOtherHalf: limits && by(half(true), limits) };
}

function* candidates(): Generator<Thresholds> {
  for (const verifiedAlignment of [0.6, 0.75, 1]) {
    for (const verifiedDrop of [0.5, 1, 2, 4]) {
      for (const attendedAlignment of [0.2, 0.3, 0.5]) {
        for (const attendedShare of [0.15, 0.25, 0.4]) {
          for (const attendedDrop of [2, 4, 6]) {
            for (const wordless of [{ share: 0.5, drop: 6 }, { share: 0.5, drop: 10 }, { share: 0.7, drop: 10 }, { share: 2, drop: 0 }]) {
              yield { ...thresholds, verified: { ...thresholds.verified, alignment: verifiedAlignment, drop: verifiedDrop }, attended: { alignment: attendedAlignment, share: attendedShare, drop: attendedDrop }, wordless };
            }
          }
        }
      }
    }
  }
}
