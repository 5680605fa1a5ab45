/** How attention reaches what does not lie on the GPU, and how much memory keys and values may take. */
import * as z from 'zod';

export const policyName = z.enum(['full', 'window', 'sketch', 'graph', 'clusters', 'quest', 'flat']);
export type PolicyName = z.infer<typeof policyName>;

/** Steps in which each layer chooses once at most, with `rolling` misses. */
export const mostTurnSteps = 64;

/** Far tokens that a head attends to exactly in a step: a number, or a share of them. */
export const policyBudget = z.union([z.object({ tokens: z.number().int().min(1).max(1_000_000) }), z.object({ share: z.number().gt(0).max(1) })]);
export type PolicyBudget = z.infer<typeof policyBudget>;

export const policySetting = z.object({
  name: policyName,
  budget: policyBudget,
  /** Represent the others by clusters; else they are dropped. */
  estimate: z.boolean(),
  /**
   * Whether a step waits for chosen tokens that are not on the GPU (`strict`, when left out), later steps get them (`lagged`),
   * or steps attend to all that is on the GPU while layers take turns to choose (`rolling`).
   */
  misses: z.enum(['strict', 'lagged', 'rolling']).optional(),
  /** With `rolling`: a layer chooses in one of so many steps; 8 when left out. */
  turnSteps: z.number().int().min(1).max(mostTurnSteps).optional(),
});
export type PolicySetting = z.infer<typeof policySetting>;

/** Whether a policy, as it was published, estimates what it does not choose. */
export const policyEstimates: Record<PolicyName, boolean> = { full: false, window: false, sketch: true, graph: false, clusters: true, quest: false, flat: false };

/** Whether a policy has a budget: the others attend to all far tokens, or to none. */
export function hasBudget(name: PolicyName): boolean {
  return name !== 'full' && name !== 'window';
}

/** Whether layers may take turns to choose (`rolling`): not where each choice needs more than what is on the GPU. */
export function canRoll(name: PolicyName): boolean {
  return hasBudget(name) && name !== 'flat' && name !== 'graph';
}

/** Steps in which each layer chooses once, when nothing else is asked for. */
export const usualTurnSteps = 8;

/** Used wherever a context is larger than the GPU's share and nothing else was chosen. */
export const defaultPolicySetting: PolicySetting = { name: 'sketch', budget: { share: 0.02 }, estimate: true };

/**
 * Rows of documents behind `fromTokens` tokens attend to the beginning, to what is near, and to this share of the blocks of
 * keys between; a cheap estimate says to which.
 */
export const sparseReading = z.object({ share: z.number().gt(0).max(1), fromTokens: z.number().int().min(0).max(16_777_216) });
export type SparseReadingSetting = z.infer<typeof sparseReading>;

/** Where it begins when nothing else is asked for. */
export const sparseFromTokens = 65_536;

export const kvBudgets = z.object({
  /** Bytes of GPU memory for keys, values and their index; null: what this machine can spare. */
  gpuBytes: z.number().int().positive().nullable(),
  /** Bytes of RAM for keys and values that are not on the GPU; the rest goes to disk. Null: a quarter of the machine's. */
  ramBytes: z.number().int().positive().nullable(),
  format: z.enum(['f16', 'q8']),
  /** How long documents are read; null: exactly. */
  sparseReading: sparseReading.nullable().default(null),
});
export type KvBudgets = z.infer<typeof kvBudgets>;

export const kvSetting = kvBudgets.extend({
  /** `needed`: only when the context does not fit the GPU's share. */
  offload: z.enum(['needed', 'always']),
  /** Keep page bounds beside the index, for the policy `quest`. */
  pages: z.boolean(),
  /** Keep queries of the prompt and make graphs of them, for the policy `graph`. */
  graphs: z.boolean(),
  /** Do without the sketch where it does not fit, for policies other than `sketch`. */
  mayLackSketch: z.boolean().default(false),
  /** The largest budget that a policy may have, which the GPU keeps room for; at least a tenth of the context. */
  largestBudget: policyBudget,
});
export type KvSetting = z.infer<typeof kvSetting>;

export const defaultKvSetting: KvSetting = { gpuBytes: null, ramBytes: null, format: 'f16', sparseReading: null, offload: 'needed', pages: false, graphs: false, mayLackSketch: false, largestBudget: { share: 0.1 } };

/** The budget to keep room for when this policy is used. */
export function largestBudgetFor(policy: PolicySetting | null | undefined): PolicyBudget {
  const { largestBudget } = defaultKvSetting;
  if (!policy || !hasBudget(policy.name)) return largestBudget;
  return coversBudget(largestBudget, policy.budget) ? largestBudget : policy.budget;
}

/** Whether room for one budget is room for another, whatever the context. */
export function coversBudget(room: PolicyBudget, wanted: PolicyBudget): boolean {
  if ('share' in room) return room.share >= 1 || ('share' in wanted && room.share >= wanted.share);
  return 'tokens' in wanted && room.tokens >= wanted.tokens;
}
