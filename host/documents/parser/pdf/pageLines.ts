/**
 * One page of a PDF → lines of runs, in the order the page draws them: programs that write digital PDFs draw in
 * reading order, columns included.
 */
import type { PDFPageProxy } from 'pdfjs-dist';

/** Characters of one line that were drawn together; the box is in points from the page's upper left corner. */
export interface Run {
  text: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Line {
  runs: Run[];
  text: string;
  left: number;
  right: number;
  /** Distance of the baseline from the page's top. */
  baseline: number;
  fontSize: number;
  monospaced: boolean;
}

export interface PageLines {
  width: number;
  height: number;
  lines: Line[];
}

interface Drawn extends Run {
  baseline: number;
  fontSize: number;
  monospaced: boolean;
}

/** A run whose baseline is further from the line's than this share of the font's size begins another line. */
const sameLine = 0.6;
/** A gap wider than this share of the font's size is a space, even where none is drawn. */
const wordGap = 0.25;

export async function pageLines(page: PDFPageProxy): Promise<PageLines> {
  const { width, height, transform } = page.getViewport({ scale: 1 });
  const { items, styles } = await page.getTextContent();
  const lines: Line[] = [];
  let open: Drawn[] = [];
  let space = false;
  const close = () => {
    const line = lineOf(open);
    if (line) lines.push(line);
    open = [];
    space = false;
  };
  for (const item of items) {
    if (!('str' in item)) continue;
    const text = clean(item.str);
    if (text.trim() === '') space ||= text !== '';
    else {
      const style = styles[item.fontName];
      const drawn = { text, ...place(item, style?.ascent ?? 0.8, style?.descent ?? -0.2, transform), monospaced: style?.fontFamily === 'monospace' };
      const last = open.at(-1);
      const largest = Math.max(drawn.fontSize, last?.fontSize ?? 0);
      if (last && Math.abs(drawn.baseline - last.baseline) > sameLine * largest) close();
      const before = open.at(-1);
      if (before && (space || drawn.x - (before.x + before.width) > wordGap * drawn.fontSize) && !before.text.endsWith(' ') && !text.startsWith(' ')) before.text += ' ';
      space = false;
      open.push(drawn);
    }
    if (item.hasEOL) close();
  }
  close();
  return { width, height, lines };
}

function lineOf(runs: Drawn[]): Line | undefined {
  const first = runs[0];
  const last = runs.at(-1);
  if (!first || !last) return undefined;
  first.text = first.text.trimStart();
  last.text = last.text.trimEnd();
  const main = runs.reduce((longest, run) => (run.text.length > longest.text.length ? run : longest));
  return {
    runs: runs.map(({ text, x, y, width, height }) => ({ text, x, y, width, height })),
    text: runs.map(({ text }) => text).join(''),
    left: Math.min(...runs.map(({ x }) => x)),
    right: Math.max(...runs.map(({ x, width }) => x + width)),
    baseline: main.baseline,
    fontSize: main.fontSize,
    monospaced: runs.every(({ monospaced }) => monospaced),
  };
}

type Matrix = readonly number[];

/** The upright box around a run, however it is turned. */
function place({ transform, width }: { transform: number[]; width: number }, ascent: number, descent: number, page: Matrix) {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = transform;
  const along = Math.hypot(a, b) || 1;
  const fontSize = Math.hypot(c, d);
  const right: [number, number] = [(a / along) * width, (b / along) * width];
  const corners = [
    [e + c * descent, f + d * descent],
    [e + c * ascent, f + d * ascent],
    [e + c * descent + right[0], f + d * descent + right[1]],
    [e + c * ascent + right[0], f + d * ascent + right[1]],
  ].map(([x = 0, y = 0]) => apply(page, x, y));
  const xs = corners.map(([x]) => x);
  const ys = corners.map(([, y]) => y);
  const x = Math.min(...xs);
  const y = Math.min(...ys);
  const [, baseline] = apply(page, e, f);
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y, baseline, fontSize };
}

function apply([a = 1, b = 0, c = 0, d = 1, e = 0, f = 0]: Matrix, x: number, y: number): [number, number] {
  return [a * x + c * y + e, b * x + d * y + f];
}

/** One kind of space, no controls, no halves of characters. */
function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is removed
  return text.replaceAll(/[\s\u00A0\u2000-\u200A]+/g, ' ').replaceAll(/[\0-\x1F\u200B\uFEFF]/g, '').toWellFormed();
}
