/** Results as JSON lines, one a case and policy: what a run appends, and what it finds done when it goes on. */
export interface CaseLine {
  model: string;
  suite: string;
  lengthTokens: number;
  /** Of what is asked for; null for anywhere. */
  depth: number | null;
  seed: number;
  tail: number;
  kind: 'continuation' | 'question';
  /** A policy's label; `resident`: full attention with everything on the GPU, which the others are compared with. */
  policy: string;
  /** Where keys and values lay, e.g. `25% f16`: cases of different settings are not compared. */
  kv: string;
  /** Tokens that were decoded. */
  tokens: number;
  /** Mean over them of KL(resident ‖ policy), and the share with the same most likely token. */
  klNats: number;
  agreement: number;
  /** Whether greedy decoding writes the answer after its lead; null for continuations. */
  found: boolean | null;
  /** Of the far keys: attended exactly. */
  exactShare: number;
  /** Of the chosen keys: already on the GPU. */
  hitShare: number | null;
  /** Of full attention's weight: on keys that the policy attends to exactly; null where it was not measured. */
  massShare: number | null;
  /** Of the best far tokens, as many as were chosen: chosen; null where it was not measured. */
  recall: number | null;
  stepMs: number;
}

export type CaseKey = Pick<CaseLine, 'model' | 'suite' | 'lengthTokens' | 'depth' | 'seed' | 'tail' | 'policy' | 'kv'>;

export function caseKey({ model, suite, lengthTokens, depth, seed, tail, policy, kv }: CaseKey): string {
  return JSON.stringify([model, suite, lengthTokens, depth, seed, tail, policy, kv]);
}

/** The same cell of the tables, whatever its policy. */
export function taskKey(line: CaseLine): string {
  return JSON.stringify([line.model, line.suite, line.lengthTokens, line.kv]);
}

export const residentPolicy = 'resident';

/** Cases among the lines of a file; the last line may be cut off where a run was killed, other lines say how it was run. */
export function parseCaseLines(text: string): CaseLine[] {
  const cases: CaseLine[] = [];
  for (const line of text.split('\n')) {
    if (!line.includes('"klNats"') || !line.endsWith('}')) continue;
    cases.push(JSON.parse(line) as CaseLine);
  }
  return cases;
}

/** Without those that were written twice, by two runs that did not know of each other. */
export function withoutDuplicates(lines: readonly CaseLine[]): CaseLine[] {
  return [...new Map(lines.map((line) => [caseKey(line), line])).values()];
}
