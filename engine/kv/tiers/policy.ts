/**
 * How a step attends to what is far. Whatever the policy, the sinks and the ring are attended exactly, and each far key
 * is counted once: attended, estimated, or named as missed or dropped.
 */
export type PolicyName = 'full' | 'window' | 'sketch' | 'graph' | 'clusters' | 'quest' | 'flat';

export interface Policy {
  name: PolicyName;
  /**
   * Far tokens a KV head attends to exactly in a step: a number, or a share of all far tokens. The policy `graph` finds
   * so many for each query head, and a KV head attends to all that its query heads found.
   */
  budget: { tokens: number } | { share: number };
  /** Represent what is not attended exactly by its clusters; else it is dropped. */
  estimate: boolean;
  /**
   * What becomes of chosen tokens that are not on the GPU. `strict` (when left out): the step waits for them. `lagged`:
   * they join the estimate for this step, are counted as missed, and are there for later steps. `rolling`: a step attends
   * to all tokens that are on the GPU, which earlier steps chose, and layers take turns to choose what comes there. Neither
   * begins with the first step of an answer: the first eight wait. Both cost truth (docs/truth.md).
   * `flat` and `graph`, which look beyond the GPU for every choice, do as with `lagged`.
   */
  misses?: 'strict' | 'lagged' | 'rolling';
  /** With `rolling` misses: a layer chooses in one of so many steps. */
  turnSteps?: number;
}

/** Where it is left out. */
export const usualTurnSteps = 8;

export const defaultPolicy: Policy = { name: 'sketch', budget: { share: 0.02 }, estimate: true };

/** One line a policy: what it does and what it costs. */
export const policyDescriptions: Record<PolicyName, string> = {
  full: 'Attends to every token exactly. Slow beyond the GPU budget: everything far is streamed for each token.',
  window: 'Attends to the first and the latest tokens only. Fast; the middle of the document is dropped.',
  flat: 'Scores every token exactly and attends to the best. As slow as full; the ceiling of choosing tokens by score.',
  clusters: 'Attends to the members of the best clusters and estimates the rest (RetroInfer). Misses single tokens of mixed clusters.',
  graph: 'Finds the tokens that matter by walking graphs made from the prompt’s own queries, on the processor (RetrievalAttention). Making them takes time and memory.',
  quest: 'Attends to the pages with the best bounds and drops the rest (Quest). Cheap to scan, loose for large heads.',
  sketch: 'Finds the tokens that matter with a compact index, attends to them exactly and estimates the rest.',
};

/** Whether a policy, as it was published, estimates what it does not choose. */
export const estimatesRest: Record<PolicyName, boolean> = { full: false, window: false, sketch: true, graph: false, clusters: true, quest: false, flat: false };

/** Far tokens to attend to exactly, of `farTokens`; at least one where there is any. */
export function wantedTokens({ budget }: Policy, farTokens: number, maxSelected: number): number {
  const wanted = 'tokens' in budget ? budget.tokens : Math.ceil(budget.share * farTokens);
  return Math.max(0, Math.min(Math.max(1, wanted), farTokens, maxSelected));
}
