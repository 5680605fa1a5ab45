/** Reference of what `evicting` layers keep, in double precision and from the definition: every token is still there. */
import type { EvictingSpec, RouterSpec } from '../models/evictingSpec.ts';

export interface RouterNumbers {
  /** [kvHeads · outputs][inputs][3] and [kvHeads · outputs]. */
  convolutions: readonly { weight: ArrayLike<number>; bias: ArrayLike<number> }[];
  score: { weight: ArrayLike<number>; bias: ArrayLike<number> };
}

/** The network over a sequence of rows, each the key and the value of one head; what lies before the sequence is 0 to every layer. */
export class RouterReference {
  readonly #convolutions: RouterSpec['convolutions'];
  readonly #numbers: RouterNumbers;
  readonly #head: number;
  readonly #rows: readonly ArrayLike<number>[];
  readonly #known = new Map<string, Float64Array>();

  constructor(convolutions: RouterSpec['convolutions'], numbers: RouterNumbers, head: number, rows: readonly ArrayLike<number>[]) {
    this.#convolutions = convolutions;
    this.#numbers = numbers;
    this.#head = head;
    this.#rows = rows;
  }

  /** Above 0 for a token worth keeping. Rows up to `position + routerLead` must be there. */
  score(position: number): number {
    const last = this.#layer(this.#convolutions.length, position);
    const { weight, bias } = this.#numbers.score;
    return last.reduce((sum, x, c) => sum + x * weight[this.#head * last.length + c], bias[this.#head]);
  }

  #layer(layer: number, position: number): Float64Array {
    if (layer === 0) return Float64Array.from(this.#rows[position]);
    const key = `${layer} ${position}`;
    let known = this.#known.get(key);
    if (!known) this.#known.set(key, (known = this.#convolved(layer, position)));
    return known;
  }

  #convolved(layer: number, position: number): Float64Array {
    const { inputs, outputs } = this.#convolutions[layer - 1];
    const { weight, bias } = this.#numbers.convolutions[layer - 1];
    const rows = [position - 2, position, position + 2].map((at) => (at < 0 ? new Float64Array(inputs) : this.#layer(layer - 1, at)));
    return Float64Array.from({ length: outputs }, (_, output) => {
      const index = this.#head * outputs + output;
      let sum = bias[index];
      for (let c = 0; c < inputs; c++) for (let tap = 0; tap < 3; tap++) sum += weight[(index * inputs + c) * 3 + tap] * rows[tap][c];
      return sum / (1 + Math.exp(-sum));
    });
  }
}

/** The tokens that the row at `position` sees, ascending: sinks, the best of those that left the window, and the window. */
export function keptTokens({ windowTokens, budgetTokens, sinkTokens }: Pick<EvictingSpec, 'windowTokens' | 'budgetTokens' | 'sinkTokens'>, position: number, scoreOf: (token: number) => number): number[] {
  const left = Math.max(0, position - windowTokens + 1);
  const candidates = Array.from({ length: left }, (_, token) => ({ token, score: token < sinkTokens ? Infinity : scoreOf(token) })).filter(({ score }) => score > 0);
  candidates.sort((a, b) => (a.score === b.score ? a.token - b.token : b.score - a.score));
  const kept = candidates.slice(0, budgetTokens).map(({ token }) => token);
  return [...kept.sort((a, b) => a - b), ...Array.from({ length: position + 1 - left }, (_, i) => left + i)];
}
