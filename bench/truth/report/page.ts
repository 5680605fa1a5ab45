/** The whole report as one HTML page that loads nothing. */
import { explanation } from './markdown.ts';
import { escapeText, inlinePlot, plotStyle } from './plot.ts';
import { plotsOf } from './plots.ts';
import type { Cell, Comparison, DepthCell, Summary } from './summary.ts';
import { claimText, columns, percent, taskTitle, times, withInterval } from './wording.ts';

const style = `
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1b1b1a; --soft: #6a6964; --line: #e0ded7; --good: 19 135 106; }
@media (prefers-color-scheme: dark) { :root { --paper: #1e1d1b; --ink: #eceae4; --soft: #a3a199; --line: #3a3934; --good: 67 184 150; } }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 78rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; } p { max-width: 60rem; color: var(--soft); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; margin: .5rem 0 1rem; }
th, td { text-align: right; padding: .3rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; } th { font-weight: 600; color: var(--soft); vertical-align: bottom; white-space: normal; min-width: 4rem; }
th:first-child, td:first-child { text-align: left; } .plots { display: flex; flex-wrap: wrap; gap: 1rem; } .plots svg { max-width: 100%; height: auto; }
td.heat { text-align: center; }
${plotStyle}`;

export function pageReport({ cells, comparisons, depths }: Summary): string {
  const tasks = [...Map.groupBy(cells, taskTitle)].map(([title, task]) => {
    const of = <T extends Cell | Comparison | DepthCell>(all: readonly T[]): T[] => all.filter((one) => taskTitle(one) === title);
    return [
      `<h2>${escapeText(title)}</h2>`,
      `<div class="plots">${plotsOf(task).map(({ plot }) => inlinePlot(plot)).join('')}</div>`,
      cellTable(task),
      comparisonTable(of(comparisons)),
      depthTable(of(depths)),
    ].join('\n');
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Longleaf: truth bench</title><style>${style}</style></head>
<body><h1>Truth bench</h1><p>${escapeText(explanation)}</p>
${tasks.join('\n')}
</body></html>
`;
}

function cellTable(task: readonly Cell[]): string {
  const used = columns.filter(({ write }) => task.some((cell) => write(cell) !== '–'));
  return table(used.map(({ title }) => title), task.map((cell) => used.map(({ write }) => `<td>${escapeText(write(cell))}</td>`)));
}

function comparisonTable(comparisons: readonly Comparison[]): string {
  if (comparisons.length === 0) return '';
  const rows = comparisons.map((one) => [one.policy, one.base, one.kind, withInterval(one.ratio, times), String(one.ratio.n), claimText(one)].map((text) => `<td>${escapeText(text)}</td>`));
  return `<p>Mean KL as a multiple of another policy’s, over the same cases:</p>${table(['policy', 'compared with', 'cases', 'ratio', 'n', ''], rows)}`;
}

/** A row a policy, a column a depth; the darker, the more questions were answered. */
function depthTable(depths: readonly DepthCell[]): string {
  if (depths.length === 0) return '';
  const columnDepths = [...new Set(depths.map(({ depth }) => depth))].sort((a, b) => a - b);
  const rows = [...Map.groupBy(depths, ({ policy }) => policy)].map(([policy, at]) => [
    `<td>${escapeText(policy)}</td>`,
    ...columnDepths.map((depth) => {
      const cell = at.find((one) => one.depth === depth);
      return cell ? `<td class="heat" title="${escapeText(withInterval(cell.found, percent))}" style="background: rgb(var(--good) / ${(0.45 * cell.found.value).toFixed(2)})">${Math.round(cell.found.value * cell.found.n)} of ${cell.found.n}</td>` : '<td class="heat">–</td>';
    }),
  ]);
  return `<p>Questions answered by depth:</p>${table(['policy', ...columnDepths.map((depth) => percent(depth))], rows)}`;
}

function table(head: readonly string[], rows: readonly string[][]): string {
  return `<div class="scroll"><table><thead><tr>${head.map((title) => `<th scope="col">${escapeText(title)}</th>`).join('')}</tr></thead><tbody>${rows.map((cells) => `<tr>${cells.join('')}</tr>`).join('')}</tbody></table></div>`;
}
