/**
 * Layers of the kind `evicting` (laLTE, arXiv 2510.20787): softmax attention over the last tokens, the first ones, and
 * those of the others that a small network found worth keeping, head by head. What is dropped never comes back, and what
 * a layer keeps does not grow with the sequence.
 */
import type { TensorShape } from './linearSpec.ts';
import type { AttentionSpec } from './spec.ts';

export interface EvictingSpec extends Omit<AttentionSpec, 'kind' | 'windowTokens'> {
  kind: 'evicting';
  /** The last tokens, which each row sees, itself included. */
  windowTokens: number;
  /** Tokens behind the window that a head keeps at most, sinks among them. */
  budgetTokens: number;
  /** The first tokens, which are never dropped. */
  sinkTokens: number;
  router: RouterSpec;
}

/**
 * What judges a token, for each key head by weights of its own: three convolutions along the sequence over its key (before
 * rotation) and value, each of 3 taps that lie 2 tokens apart, then SiLU; and a product with one number. A token is kept
 * when that is above 0. Weights of convolutions are [kvHeads · outputs][inputs][3].
 */
export interface RouterSpec {
  /** In order; the inputs of the first are 2 · headDim. */
  convolutions: readonly { weight: TensorShape; bias: TensorShape; inputs: number; outputs: number }[];
  /** [kvHeads][outputs of the last]. */
  score: { weight: TensorShape; bias: TensorShape };
}

/** Rows between a convolution's first and last tap, which it keeps; the middle one lies half as far back. */
export const routerTailRows = 4;
/** Tokens behind one that are read before it can be judged. */
export const routerLead = 6;

/** Slots of a head: the budget, then the window. */
export function evictingSlots({ budgetTokens, windowTokens }: Pick<EvictingSpec, 'budgetTokens' | 'windowTokens'>): number {
  return budgetTokens + windowTokens;
}

/** Parts of a buffer that are bound by themselves begin at multiples of this many f32. */
const bindingFloats = 64;

/**
 * The state in f32 numbers. `matrix`: [kvHeads][slots][2][headDim] keys and values; `tail`: position and score of each slot,
 * then the last rows that each convolution has seen, from `offset` on.
 */
export function evictingState(spec: EvictingSpec): { matrix: number; tail: number; slots: { offset: number; floats: number }; rows: { offset: number; floats: number }[] } {
  const { kvHeads, headDim, router } = spec;
  const slots = kvHeads * evictingSlots(spec);
  let end = 0;
  const place = (floats: number): { offset: number; floats: number } => {
    const offset = end;
    end += Math.ceil(floats / bindingFloats) * bindingFloats;
    return { offset, floats };
  };
  const meta = place(2 * slots);
  const rows = router.convolutions.map(({ inputs }) => place(routerTailRows * kvHeads * inputs));
  return { matrix: slots * 2 * headDim, tail: end, slots: meta, rows };
}

export function routerShapes({ convolutions, score }: RouterSpec): TensorShape[] {
  return [...convolutions.flatMap(({ weight, bias }) => [weight, bias]), score.weight, score.bias];
}
