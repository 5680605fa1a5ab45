/** What answers lose without a passage as two rows of dots, one a case, with their medians. */
import { escapeText, plotStyle } from '../truth/report/plot.ts';

const width = 720;
const height = 250;
const margin = { left: 150, right: 24, top: 44, bottom: 46 };
const rowHeight = 66;

interface Row {
  name: string;
  colour: string;
  losses: readonly number[];
}

/** A whole SVG file. `cases`: nats lost. */
export function ablationPlot(title: string, cases: readonly { lost: number; lostOther: number }[]): string {
  const rows: Row[] = [
    { name: 'without the sentence', colour: 'c4', losses: cases.map(({ lost }) => lost) },
    { name: 'without another', colour: 'c0', losses: cases.map(({ lostOther }) => lostOther) },
  ];
  const all = rows.flatMap(({ losses }) => losses);
  const [low, high] = [Math.min(-1, ...all), Math.max(5, ...all)];
  const at = (nats: number): number => margin.left + ((nats - low) / (high - low)) * (width - margin.left - margin.right);
  const bottom = height - margin.bottom;
  const ticks = Array.from({ length: 12 }, (_, i) => i * stepOf(high - low) + Math.ceil(low / stepOf(high - low)) * stepOf(high - low)).filter((tick) => tick <= high);
  const parts = [
    `<text x="16" y="20" font-weight="600">${escapeText(title)}</text>`,
    ...ticks.map((tick) => `<line class="grid" x1="${at(tick).toFixed(1)}" x2="${at(tick).toFixed(1)}" y1="${margin.top}" y2="${bottom}"/><text class="soft" x="${at(tick).toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${tick}</text>`),
    `<text class="soft" x="${(margin.left + width - margin.right) / 2}" y="${height - 8}" text-anchor="middle">nats that the answer’s log-probability falls by; each dot one question, bars: medians</text>`,
    ...rows.flatMap(({ name, colour, losses }, row) => drawn({ name, colour, losses }, margin.top + 12 + row * (rowHeight + 8), at)),
  ];
  const style = `${plotStyle}\nsvg { background: #fff; } @media (prefers-color-scheme: dark) { svg { background: #1e1d1b; } }`;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeText(title)}"><style>${style}</style>${parts.join('')}</svg>\n`;
}

function drawn({ name, colour, losses }: Row, top: number, at: (nats: number) => number): string[] {
  if (losses.length === 0) return [];
  const median = [...losses].sort((a, b) => a - b)[Math.floor(losses.length / 2)];
  // Dots of the same place would hide each other: the golden ratio spreads them evenly.
  const dots = losses.map((nats, i) => `<circle class="dot" fill-opacity="0.55" cx="${at(nats).toFixed(1)}" cy="${(top + ((i * 0.618034) % 1) * rowHeight).toFixed(1)}" r="3"/>`);
  return [
    `<g class="${colour}">${dots.join('')}<line class="line" x1="${at(median).toFixed(1)}" x2="${at(median).toFixed(1)}" y1="${top - 4}" y2="${top + rowHeight + 4}"/></g>`,
    `<text x="16" y="${top + rowHeight / 2}">${escapeText(name)}</text><text class="soft" x="16" y="${top + rowHeight / 2 + 16}">median ${median.toFixed(2)}</text>`,
  ];
}

/** Of about eight ticks. */
function stepOf(span: number): number {
  return [1, 2, 5, 10, 20, 50, 100].find((step) => span / step <= 9) ?? 200;
}
