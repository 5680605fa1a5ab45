import { css, difference, viridis } from '../colours.ts';
import { inspectorStrings } from '../strings.ts';

const gradient = (of: (share: number) => string): string => `linear-gradient(to right, ${Array.from({ length: 9 }, (_, i) => of(i / 8)).join(', ')})`;
const weights = gradient((share) => css(viridis(share)));
const differences = gradient((share) => css(difference(2 * share - 1)));

/** What the colours stand for: a hundredfold from mark to mark. `signed`: of differences. */
export function Legend({ signed = false }: { signed?: boolean }) {
  return (
    <div className="flex items-center gap-2 text-small text-faint tabular-nums">
      <span>{signed ? inspectorStrings.compare.legend : inspectorStrings.map.legend}</span>
      <span>{signed ? '−100 %' : '0.01 %'}</span>
      <span aria-hidden className="h-2.5 w-28 rounded-sm" style={{ background: signed ? differences : weights }} />
      <span>100 %</span>
    </div>
  );
}
