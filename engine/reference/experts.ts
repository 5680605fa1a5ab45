/** Reference of the mixture of experts: `experts_choose.wgsl`, the products of chosen experts, `experts_combine.wgsl`. */
import { multiply, type DenseRows } from './matmul.ts';

export interface Choice {
  /** The chosen experts, best first; of equal logits the lower number first. */
  experts: number[];
  /** What each one's output is multiplied by. */
  shares: number[];
}

/** `logits` of one row. Shares are a softmax over the chosen experts (`normalised`) or over all, times `scale`. */
export function chooseExperts(logits: ArrayLike<number>, chosen: number, normalised: boolean, scale: number): Choice {
  const order = Array.from({ length: logits.length }, (_, expert) => expert).sort((a, b) => logits[b] - logits[a] || a - b);
  const experts = order.slice(0, chosen);
  const weight = (expert: number): number => Math.exp(logits[expert] - logits[order[0]]);
  const total = (normalised ? experts : order).reduce((sum, expert) => sum + weight(expert), 0);
  return { experts, shares: experts.map((expert) => (scale * weight(expert)) / total) };
}

/** The rows of one expert in a matrix of `experts` experts one after another. */
export function expertRows(weights: DenseRows, experts: number, expert: number): DenseRows {
  const rows = weights.rows / experts;
  const size = rows * weights.columns;
  return { rows, columns: weights.columns, values: weights.values.subarray(expert * size, (expert + 1) * size) };
}

/** output[pair] = W[choice[pair]] · input[⌊pair / pairsPerInput⌋]. */
export function multiplyChosen(input: Float32Array, choice: Uint32Array, pairsPerInput: number, weights: DenseRows, experts: number): Float64Array {
  const { columns } = weights;
  const rows = Array.from(choice, (expert, pair) => {
    const row = Math.floor(pair / pairsPerInput);
    return multiply(input.subarray(row * columns, (row + 1) * columns), 1, expertRows(weights, experts, expert));
  });
  return Float64Array.from(rows.flatMap((row) => [...row]));
}

/** output[row] = Σ_slot shares[row][slot] · branches[row · chosen + slot] + shares[row][chosen] · shared[row]. */
export function combine(branches: Float32Array, shares: Float32Array, shared: Float32Array | null, chosen: number, columns: number): Float64Array {
  const rows = branches.length / (chosen * columns);
  return Float64Array.from({ length: rows * columns }, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    let sum = shared ? shares[row * (chosen + 1) + chosen] * shared[index] : 0;
    for (let slot = 0; slot < chosen; slot++) sum += shares[row * (chosen + 1) + slot] * branches[(row * chosen + slot) * columns + column];
    return sum;
  });
}
