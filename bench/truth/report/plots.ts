/** The plots of a task: divergence, agreement and kept answers over the budget. */
import { percentOf } from '../policies.ts';
import type { Estimate } from '../statistics.ts';
import { type Plot, plotFile, type Series } from './plot.ts';
import type { Cell, Kind, Summary } from './summary.ts';
import { percent, taskTitle } from './wording.ts';

/** What must be reached at a budget, in percent of the far tokens. */
export interface Target {
  budgetPercent: number;
  kl: number;
  agreement: number;
}

export const targets: readonly Target[] = [
  { budgetPercent: 2, kl: 0.008, agreement: 0.94 },
  { budgetPercent: 5, kl: 0.003, agreement: 0.965 },
];

const kindNames: Record<Kind, string> = { question: 'questions', continuation: 'continuations' };

export function plotsOf(task: readonly Cell[]): { name: string; plot: Plot }[] {
  const plots: { name: string; plot: Plot }[] = [];
  const add = (name: string, title: string, options: Pick<Plot, 'yLabel' | 'logarithmic' | 'targets' | 'writeY'>, value: (cell: Cell) => Estimate | null): void => {
    const series = seriesOf(task, value);
    if (series.length > 0) plots.push({ name, plot: { title, xLabel: 'far tokens attended exactly', series, ...options } });
  };
  for (const kind of ['continuation', 'question'] as const) {
    const wanted = (of: 'kl' | 'agreement'): Plot['targets'] => targets.map((target) => ({ x: target.budgetPercent, y: target[of], label: 'target' }));
    add(`kl-${kindNames[kind]}`, `Divergence from full attention, ${kindNames[kind]}`, { yLabel: 'KL, nats a token', logarithmic: true, targets: wanted('kl'), writeY: String }, ({ kl }) => kl[kind]);
    add(`agreement-${kindNames[kind]}`, `Same most likely token, ${kindNames[kind]}`, { yLabel: 'agreement', logarithmic: false, targets: wanted('agreement'), writeY: percent }, ({ agreement }) => agreement[kind]);
  }
  add('kept', 'Questions answered, of those that full attention answers', { yLabel: 'share', logarithmic: false, targets: [{ x: 2, y: 0.97, label: 'target' }], writeY: percent }, ({ kept }) => (kept && kept.n > 0 ? kept : null));
  return plots;
}

/** Every plot of a summary as a file, named by its task. */
export function plotFiles({ cells }: Summary): { name: string; svg: string }[] {
  return [...Map.groupBy(cells, taskTitle).values()].flatMap((task) => {
    const { model, suite, lengthTokens } = task[0];
    const prefix = `${model} ${suite} ${lengthTokens}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
    return plotsOf(task).map(({ name, plot }) => ({ name: `${prefix}-${name}.svg`, svg: plotFile(plot) }));
  });
}

/** A policy without a budget has no place on the axis. */
function seriesOf(task: readonly Cell[], value: (cell: Cell) => Estimate | null): Series[] {
  const points = task.flatMap((cell) => {
    const x = percentOf(cell.policy);
    const y = value(cell);
    return x !== null && y !== null ? [{ name: cell.policy.split(' ')[0], x, y }] : [];
  });
  return [...Map.groupBy(points, ({ name }) => name)].map(([name, all]) => ({ name, points: all }));
}
