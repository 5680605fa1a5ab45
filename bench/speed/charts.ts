/** Bars and flame strips as SVG, for light and dark: colours are those of the page's classes. */
import { escapeText } from '../truth/report/plot.ts';

export interface Bar {
  name: string;
  value: number;
  /** Class of its colour. */
  kind: string;
  /** What stands behind it. */
  text: string;
}

const width = 900;
const nameWidth = 470;
const barHeight = 18;
const textWidth = 150;

/** Bars from 0 to the largest, one under the other. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  // Short names leave more room to the bars.
  const left = bars.some(({ name }) => name.length > 16) ? nameWidth : 110;
  const height = 30 + bars.length * (barHeight + 6);
  const rows = bars.map(({ name, value, kind, text }, index) => {
    const y = 28 + index * (barHeight + 6);
    const length = Math.max(1, (value / most) * (width - left - textWidth));
    return `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${escapeText(name)}</text><rect class="${kind}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/><text x="${(left + length + 8).toFixed(1)}" y="${y + 13}">${escapeText(text)}</text>`;
  });
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeText(title)}"><text x="0" y="14" class="soft">${escapeText(title)}</text>${rows.join('')}</svg>`;
}

export interface StripEntry {
  name: string;
  startMs: number;
  ms: number;
}

// Distinct in light and dark; more kernels than these share colours.
const hues = [212, 160, 32, 268, 0, 80, 320, 190, 50, 240];

/** One step from left to right, a rectangle a kernel, and what each kind of kernel takes in all. `colours`: names in the order of their colours. */
export function flameStrip(title: string, timeline: readonly StripEntry[], colours: readonly string[]): string {
  const last = timeline.at(-1);
  if (!last) return '';
  const wholeMs = last.startMs + last.ms;
  const names = [...new Set(timeline.map(({ name }) => name))];
  const colour = (name: string): string => `hsl(${hues[Math.max(0, colours.indexOf(name)) % hues.length]} 55% 52%)`;
  const scale = width / wholeMs;
  const strip = timeline.map(({ name, startMs, ms }) => `<rect x="${(startMs * scale).toFixed(2)}" y="24" width="${Math.max(0.3, ms * scale).toFixed(2)}" height="34" fill="${colour(name)}"><title>${escapeText(name)}: ${ms.toFixed(3)} ms</title></rect>`);
  const totals = names.map((name) => ({ name, ms: timeline.filter((entry) => entry.name === name).reduce((sum, { ms }) => sum + ms, 0) })).sort((a, b) => b.ms - a.ms);
  const legend = totals.map(({ name, ms }, index) => {
    const [x, y] = [(index % 3) * (width / 3), 80 + Math.floor(index / 3) * 20];
    return `<rect x="${x}" y="${y - 10}" width="12" height="12" rx="2" fill="${colour(name)}"/><text x="${x + 18}" y="${y}">${escapeText(name)} ${ms.toFixed(2)} ms, ${((100 * ms) / wholeMs).toFixed(0)} %</text>`;
  });
  const height = 84 + Math.ceil(totals.length / 3) * 20;
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeText(title)}"><text x="0" y="14" class="soft">${escapeText(title)}, ${wholeMs.toFixed(2)} ms by timestamps</text>${strip.join('')}${legend.join('')}</svg>`;
}
