/** Line plots with intervals as SVG, for light and dark; a file of its own or part of a page. */
import type { Estimate } from '../statistics.ts';

export interface Series {
  name: string;
  points: { x: number; y: Estimate }[];
}

export interface Plot {
  title: string;
  xLabel: string;
  yLabel: string;
  /** Decades instead of even steps. */
  logarithmic: boolean;
  series: readonly Series[];
  /** Values to reach, where they apply. */
  targets: readonly { x: number; y: number; label: string }[];
  writeY: (value: number) => string;
}

const width = 560;
const height = 340;
const margin = { left: 64, right: 118, top: 40, bottom: 46 };

/** One for each series, in a fixed order, so that a policy has its colour in every plot. */
const colours = ['sketch', 'flat+estimate', 'clusters', 'quest', 'window', 'flat', 'graph', 'full'];

export const plotStyle = `
.plot { --ink: #1b1b1a; --soft: #6a6964; --grid: #e4e2dc; --c0: #2f6fd0; --c1: #13876a; --c2: #b25e00; --c3: #7a4fc0; --c4: #b3363b; --c5: #5d7a12; --c6: #a03a86; --c7: #4d5a66; font: 12px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .plot { --ink: #eceae4; --soft: #a3a199; --grid: #35342f; --c0: #6ea3f2; --c1: #43b896; --c2: #e39a4a; --c3: #ab8cec; --c4: #ef7d7f; --c5: #a3c04c; --c6: #de83c6; --c7: #a9b6c2; } }
.plot text { fill: var(--ink); } .plot .soft { fill: var(--soft); } .plot .grid { stroke: var(--grid); } .plot .target { stroke: var(--soft); stroke-width: 1.5; fill: none; }
${colours.map((_, i) => `.plot .c${i} { color: var(--c${i}); }`).join(' ')}
.plot .line { stroke: currentColor; stroke-width: 2; fill: none; } .plot .bar { stroke: currentColor; stroke-width: 1.5; } .plot .dot { fill: currentColor; } .plot .name { fill: currentColor; }`;

/** A whole SVG file. */
export function plotFile(plot: Plot): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" ${attributes(plot)}><style>${plotStyle}\nsvg { background: #fff; } @media (prefers-color-scheme: dark) { svg { background: #1e1d1b; } }</style>${plotBody(plot)}</svg>\n`;
}

/** For a page that has `plotStyle`. */
export function inlinePlot(plot: Plot): string {
  return `<svg ${attributes(plot)}>${plotBody(plot)}</svg>`;
}

function attributes({ title }: Plot): string {
  return `class="plot" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeText(title)}"`;
}

interface Scale {
  at(value: number): number;
  ticks: number[];
}

function plotBody(plot: Plot): string {
  const { title, xLabel, yLabel, series, targets, writeY } = plot;
  const values = series.flatMap(({ points }) => points);
  if (values.length === 0) return '';
  const x = logScale([...values.map((point) => point.x), ...targets.map((target) => target.x)], margin.left + 12, width - margin.right - 12);
  const spread = [...values.flatMap(({ y }) => [y.value, y.low, y.high]), ...targets.map((target) => target.y)].filter((value) => Number.isFinite(value) && (!plot.logarithmic || value > 0));
  const y = (plot.logarithmic ? logScale : evenScale)(spread, height - margin.bottom - 6, margin.top + 12);
  const bottom = height - margin.bottom;
  const parts = [
    `<text x="${margin.left}" y="18" font-weight="600">${escapeText(title)}</text>`,
    ...y.ticks.map((tick) => `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${round(y.at(tick))}" y2="${round(y.at(tick))}"/><text class="soft" x="${margin.left - 8}" y="${round(y.at(tick) + 4)}" text-anchor="end">${writeY(tick)}</text>`),
    ...[...new Set(values.map((point) => point.x))].map((tick) => `<text class="soft" x="${round(x.at(tick))}" y="${bottom + 18}" text-anchor="middle">${tick} %</text>`),
    `<text class="soft" x="${(margin.left + width - margin.right) / 2}" y="${height - 8}" text-anchor="middle">${escapeText(xLabel)}</text>`,
    `<text class="soft" x="${margin.left}" y="34">${escapeText(yLabel)}</text>`,
    ...targets.map((target) => `<path class="target" d="M${round(x.at(target.x) - 7)} ${round(y.at(target.y))}h14"/><text class="soft" font-size="10" x="${round(x.at(target.x) + 9)}" y="${round(y.at(target.y) - 3)}">${escapeText(target.label)}</text>`),
  ];
  const labels: { y: number; text: string; index: number }[] = [];
  series.forEach(({ name, points }, number) => {
    const known = colours.indexOf(name);
    const index = known < 0 ? number % colours.length : known;
    // Policies of one budget would hide each other's intervals.
    const shift = (number - (series.length - 1) / 2) * 5;
    const sorted = [...points].sort((a, b) => a.x - b.x);
    const dots = sorted.map((point) => ({ x: x.at(point.x) + shift, y: y.at(point.y.value), low: y.at(clamp(point.y.low, spread)), high: y.at(clamp(point.y.high, spread)) }));
    parts.push(
      `<g class="c${index}"><path class="line" d="${dots.map((dot, i) => `${i === 0 ? 'M' : 'L'}${round(dot.x)} ${round(dot.y)}`).join('')}"/>`,
      ...dots.map((dot) => `<line class="bar" x1="${round(dot.x)}" x2="${round(dot.x)}" y1="${round(dot.low)}" y2="${round(dot.high)}"/><circle class="dot" cx="${round(dot.x)}" cy="${round(dot.y)}" r="3.5"/>`),
      '</g>',
    );
    labels.push({ y: dots[dots.length - 1].y + 4, text: name, index });
  });
  return parts.join('') + apart(labels).map((label) => `<text class="name c${label.index}" x="${width - margin.right + 10}" y="${round(label.y)}">${escapeText(label.text)}</text>`).join('');
}

/** Moves labels down until none covers another. */
function apart<Label extends { y: number }>(labels: readonly Label[]): Label[] {
  const sorted = [...labels].sort((a, b) => a.y - b.y).map((label) => ({ ...label }));
  for (let i = 1; i < sorted.length; i++) sorted[i].y = Math.max(sorted[i].y, sorted[i - 1].y + 15);
  return sorted;
}

function logScale(values: readonly number[], from: number, to: number): Scale {
  const [low, high] = [Math.log10(Math.min(...values)), Math.log10(Math.max(...values))];
  const span = Math.max(high - low, 0.1);
  const at = (value: number): number => from + ((Math.log10(value) - low) / span) * (to - from);
  const ticks: number[] = [];
  for (let power = Math.floor(low); power <= high + 1; power++) for (const factor of [1, 2, 5]) ticks.push(factor * 10 ** power);
  return { at, ticks: ticks.filter((tick) => Math.log10(tick) >= low - 0.02 && Math.log10(tick) <= high + 0.02) };
}

function evenScale(values: readonly number[], from: number, to: number): Scale {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = Math.max(high - low, 1e-6);
  const step = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((one) => span / one <= 6) ?? 1;
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9; tick += step) ticks.push(Number(tick.toFixed(6)));
  return { at: (value) => from + ((value - low) / span) * (to - from), ticks };
}

function clamp(value: number, values: readonly number[]): number {
  return Math.min(Math.max(value, Math.min(...values)), Math.max(...values));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
