import { css, viridis } from '../colours.ts';
import { inspectorStrings } from '../strings.ts';

const gradient = `linear-gradient(to right, ${Array.from({ length: 9 }, (_, i) => css(viridis(i / 8))).join(', ')})`;

/** What the colours stand for: a hundredfold from mark to mark. */
export function Legend() {
  return (
    <div className="flex items-center gap-2 text-small text-faint tabular-nums">
      <span>{inspectorStrings.map.legend}</span>
      <span>0.01 %</span>
      <span aria-hidden className="h-2.5 w-28 rounded-sm" style={{ background: gradient }} />
      <span>100 %</span>
    </div>
  );
}
