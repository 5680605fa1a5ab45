/** The tables of a truth bench as Markdown. */
import type { Summary } from './summary.ts';
import { claimText, columns, percent, taskTitle, times, withInterval } from './wording.ts';

/** What the figures mean; the page says the same. */
export const explanation =
  'KL is the mean over decoded tokens of KL(full ‖ policy) in nats, agreement the share of tokens with the same most likely next one; ' +
  'a question counts as answered when greedy decoding writes the answer after its first words. “resident” is full attention with everything on the GPU. ' +
  'Intervals are of 95 %: Wilson’s for shares of questions, else by bootstrap over documents. No difference is claimed unless its interval excludes it.';

export function markdownReport({ cells, comparisons, depths }: Summary): string {
  const lines = [explanation, ''];
  for (const [title, task] of Map.groupBy(cells, taskTitle)) {
    const used = columns.filter(({ write }) => task.some((cell) => write(cell) !== '–'));
    lines.push(`### ${title}`, '', ...table(used.map(({ title: name }) => name), task.map((cell) => used.map(({ write }) => write(cell)))), '');
    const compared = comparisons.filter((one) => taskTitle(one) === title);
    if (compared.length > 0) {
      const rows = compared.map((one) => [one.policy, one.base, one.kind, withInterval(one.ratio, times), String(one.ratio.n), claimText(one)]);
      lines.push('Mean KL as a multiple of another policy’s, over the same cases:', '', ...table(['policy', 'compared with', 'cases', 'ratio', 'n', ''], rows), '');
    }
    const byDepth = depths.filter((one) => taskTitle(one) === title);
    if (byDepth.length > 0) {
      const rows = byDepth.map(({ policy, depth, found }) => [policy, String(depth), `${Math.round(found.value * found.n)} of ${found.n}: ${withInterval(found, percent)}`]);
      lines.push('By depth:', '', ...table(['policy', 'depth', 'questions answered'], rows), '');
    }
  }
  return `${lines.join('\n')}\n`;
}

function table(head: readonly string[], rows: readonly string[][]): string[] {
  const row = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)];
}
