/** How figures are written in reports. */
import type { Estimate } from '../statistics.ts';
import type { Cell, Comparison } from './summary.ts';

/** E.g. `0.0040 (0.0031–0.0052)`; without an interval where one document gives none. */
export function withInterval({ value, low, high }: Estimate, write: (value: number) => string): string {
  if (!Number.isFinite(value)) return '–';
  return Number.isFinite(low) && Number.isFinite(high) ? `${write(value)} (${write(low)}–${write(high)})` : write(value);
}

export const nats = (value: number): string => value.toFixed(4);
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
export const times = (ratio: number): string => `${ratio.toFixed(2)}×`;

export function taskTitle({ model, suite, lengthTokens, kv }: Pick<Cell, 'model' | 'suite' | 'lengthTokens' | 'kv'>): string {
  return `${model}, ${suite}, ${lengthTokens.toLocaleString('en-US')} tokens, KV budget on the GPU ${kv}`;
}

export function claimText({ policy, base, claim }: Pick<Comparison, 'policy' | 'base' | 'claim'>): string {
  if (claim === 'undecided') return 'no difference shown';
  return claim === 'lower' ? `${policy} is closer to full attention` : `${base} is closer to full attention`;
}

export const columns: { title: string; write: (cell: Cell) => string }[] = [
  { title: 'policy', write: ({ policy }) => policy },
  { title: 'documents', write: ({ documents }) => String(documents) },
  { title: 'questions answered', write: ({ found }) => (found ? `${Math.round(found.value * found.n)} of ${found.n}` : '–') },
  { title: 'of those that full answers', write: ({ kept }) => (kept && kept.n > 0 ? `${Math.round(kept.value * kept.n)} of ${kept.n}: ${withInterval(kept, percent)}` : '–') },
  { title: 'KL, questions', write: ({ kl }) => (kl.question ? withInterval(kl.question, nats) : '–') },
  { title: 'agreement, questions', write: ({ agreement }) => (agreement.question ? withInterval(agreement.question, percent) : '–') },
  { title: 'KL, continuations', write: ({ kl }) => (kl.continuation ? withInterval(kl.continuation, nats) : '–') },
  { title: 'agreement, continuations', write: ({ agreement }) => (agreement.continuation ? withInterval(agreement.continuation, percent) : '–') },
  { title: 'n (questions, continuations)', write: ({ kl }) => `${kl.question?.n ?? 0}, ${kl.continuation?.n ?? 0}` },
  { title: 'far keys exact', write: ({ exactShare }) => percent(exactShare) },
  { title: 'attention on exact keys', write: ({ massShare }) => (massShare === null ? '–' : percent(massShare)) },
  { title: 'best keys chosen', write: ({ recall }) => (recall === null ? '–' : percent(recall)) },
  { title: 'on the GPU already', write: ({ hitShare }) => (hitShare === null ? '–' : percent(hitShare)) },
  { title: 'ms a token', write: ({ stepMs }) => stepMs.toFixed(1) },
];
