/** Cells and comparisons out of cases: every figure with its interval. */
import { type CaseLine, residentPolicy, taskKey } from '../caseLines.ts';
import { percentOf } from '../policies.ts';
import { type Claim, claimOf, type Estimate, meanOf, type Observation, ratioOf, shareOf } from '../statistics.ts';

export type Kind = CaseLine['kind'];

export interface Cell {
  model: string;
  suite: string;
  lengthTokens: number;
  kv: string;
  policy: string;
  documents: number;
  /** Of all questions. */
  found: Estimate | null;
  /** Of the questions that resident attention answers. */
  kept: Estimate | null;
  /** Nats a token, and the share of tokens with the same most likely one. */
  kl: Record<Kind, Estimate | null>;
  agreement: Record<Kind, Estimate | null>;
  exactShare: number;
  hitShare: number | null;
  massShare: number | null;
  recall: number | null;
  stepMs: number;
}

/** The mean KL of a policy as a multiple of another's, over the cases that both have. */
export interface Comparison {
  model: string;
  suite: string;
  lengthTokens: number;
  kv: string;
  kind: Kind;
  policy: string;
  base: string;
  ratio: Estimate;
  claim: Claim;
}

/** Questions answered by the depth of what they ask for. */
export interface DepthCell {
  model: string;
  suite: string;
  lengthTokens: number;
  kv: string;
  policy: string;
  depth: number;
  found: Estimate;
}

export interface Summary {
  cells: Cell[];
  comparisons: Comparison[];
  depths: DepthCell[];
}

export const kinds = ['question', 'continuation'] as const satisfies readonly Kind[];

export function summarise(lines: readonly CaseLine[]): Summary {
  const tasks = [...Map.groupBy(lines, taskKey).values()];
  return { cells: tasks.flatMap(cellsOf), comparisons: tasks.flatMap(comparisonsOf), depths: tasks.flatMap(depthsOf) };
}

/** The resident path first, then by name and budget. */
function policiesOf(task: readonly CaseLine[]): [string, CaseLine[]][] {
  const rank = (label: string): string => (label === residentPolicy ? '' : `${label.split(' ')[0]} ${String((percentOf(label) ?? 0) * 1000).padStart(9, '0')} ${label}`);
  return [...Map.groupBy(task, ({ policy }) => policy)].sort(([a], [b]) => (rank(a) < rank(b) ? -1 : 1));
}

function cellsOf(task: readonly CaseLine[]): Cell[] {
  const truth = new Map(task.filter(({ policy }) => policy === residentPolicy).map((line) => [caseOf(line), line.found]));
  return policiesOf(task).map(([policy, lines]) => {
    const questions = lines.filter(({ kind }) => kind === 'question');
    const known = questions.filter((line) => truth.get(caseOf(line)) === true);
    const share = (of: readonly CaseLine[]): Estimate | null => (of.length > 0 ? shareOf(of.filter(({ found }) => found).length, of.length) : null);
    const means = (value: (line: CaseLine) => number): Record<Kind, Estimate | null> => {
      const mean = (kind: Kind): Estimate | null => {
        const observations = lines.filter((line) => line.kind === kind).map((line): Observation => ({ group: documentOf(line), value: value(line) }));
        return observations.length > 0 ? meanOf(observations) : null;
      };
      return { question: mean('question'), continuation: mean('continuation') };
    };
    return {
      ...headOf(lines[0]),
      policy,
      documents: new Set(lines.map(documentOf)).size,
      found: share(questions),
      kept: policy === residentPolicy ? null : share(known),
      kl: means(({ klNats }) => klNats),
      agreement: means(({ agreement }) => agreement),
      exactShare: average(lines.map(({ exactShare }) => exactShare)) ?? 0,
      hitShare: average(lines.map(({ hitShare }) => hitShare)),
      massShare: average(lines.map(({ massShare }) => massShare)),
      recall: average(lines.map(({ recall }) => recall)),
      stepMs: average(lines.map(({ stepMs }) => stepMs)) ?? 0,
    };
  });
}

/** Against the ceiling (`flat+estimate`) and against the default (`sketch`), each with the same budget. */
function comparisonsOf(task: readonly CaseLine[]): Comparison[] {
  const policies = policiesOf(task);
  const byLabel = new Map(policies);
  return policies.flatMap(([policy, lines]) => {
    const budget = policy.split(' ')[1];
    const bases = policy.startsWith('flat+estimate') ? [] : policy.startsWith('sketch') ? ['flat+estimate'] : ['sketch'];
    return bases.flatMap((name) => {
      const base = `${name} ${budget}`;
      const others = new Map((byLabel.get(base) ?? []).map((line) => [caseOf(line), line.klNats]));
      return kinds.flatMap((kind): Comparison[] => {
        const pairs = lines.filter((line) => line.kind === kind && others.has(caseOf(line))).map((line) => ({ group: documentOf(line), value: line.klNats, base: others.get(caseOf(line)) ?? 0 }));
        if (pairs.length === 0) return [];
        const ratio = ratioOf(pairs);
        return [{ ...headOf(lines[0]), kind, policy, base, ratio, claim: claimOf(ratio, 1) }];
      });
    });
  });
}

function depthsOf(task: readonly CaseLine[]): DepthCell[] {
  const asked = task.filter(({ depth, kind }) => depth !== null && kind === 'question');
  return policiesOf(asked).flatMap(([policy, lines]) =>
    [...Map.groupBy(lines, ({ depth }) => depth ?? 0)]
      .sort(([a], [b]) => a - b)
      .map(([depth, at]) => ({ ...headOf(lines[0]), policy, depth, found: shareOf(at.filter(({ found }) => found).length, at.length) })),
  );
}

function headOf({ model, suite, lengthTokens, kv }: CaseLine): Pick<Cell, 'model' | 'suite' | 'lengthTokens' | 'kv'> {
  return { model, suite, lengthTokens, kv };
}

function documentOf({ seed, depth }: CaseLine): string {
  return `${seed} ${depth}`;
}

function caseOf(line: CaseLine): string {
  return `${documentOf(line)} ${line.tail}`;
}

function average(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : null;
}
