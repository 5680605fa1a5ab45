/** Lines that stand at the same place of many pages, but for a number: heads, feet and page numbers. */
import type { Line, PageLines } from './pageLines.ts';

/** That many lines at the top and at the bottom of a page may be such lines. */
const edgeLines = 2;
/** A line that is on fewer pages than these is text. */
const leastPages = 4;
const leastShare = 0.4;
const rasterPoints = 4;

/** Takes them out of the pages; how many there were. */
export function removeRunningHeads(pages: readonly PageLines[]): number {
  if (pages.length < leastPages) return 0;
  const edges = pages.map(({ lines }) => edgesOf(lines));
  const counts = new Map<string, number>();
  for (const lines of edges) for (const key of new Set([...lines].map(keyOf))) counts.set(key, (counts.get(key) ?? 0) + 1);
  // Left and right pages may have heads of their own.
  const needed = Math.max(leastPages, leastShare * pages.length);
  let removed = 0;
  for (const [index, page] of pages.entries()) {
    const kept = page.lines.filter((line) => !(edges[index]?.has(line) && (counts.get(keyOf(line)) ?? 0) >= needed));
    removed += page.lines.length - kept.length;
    page.lines = kept;
  }
  return removed;
}

function edgesOf(lines: readonly Line[]): Set<Line> {
  const sorted = [...lines].sort((a, b) => a.baseline - b.baseline);
  return new Set([...sorted.slice(0, edgeLines), ...sorted.slice(-edgeLines)]);
}

function keyOf({ text, baseline }: Line): string {
  return `${Math.round(baseline / rasterPoints)} ${text.replaceAll(/\d+|\b[ivxlc]+\b/g, '#')}`;
}
