/**
 * The recurrence of a head over a chunk at once, as matrix products and one triangular system: what chunked kernels
 * compute, here in double precision as a second witness of the recurrence.
 *
 *     S ← D S;  e = Sᵀa;  S ← S + k vᵀ − b eᵀ;  o = Sᵀq        D = diag(e^g)
 *
 * With G the sums of g up to a row and X_ij = Σ_c x_ic y_jc e^(G_ic − G_jc):
 *
 *     (I + strict(A·B)) E = (a ⊙ e^G) S₀ + strict(A·K) V
 *     O = (q ⊙ e^G) S₀ + lower(Q·K) V − lower(Q·B) E
 *     S = e^(G_C) S₀ + (k ⊙ e^(G_C − G))ᵀ V − (b ⊙ e^(G_C − G))ᵀ E
 *
 * Exponents are differences, never positive, so nothing overflows.
 */

/** Rows of vectors: keyDim numbers each, `values` valueDim. */
export interface ChunkRows {
  queries: readonly number[][];
  keys: readonly number[][];
  values: readonly number[][];
  /** g ≤ 0 of each key. */
  logDecays: readonly number[][];
  /** a and b; null: nothing is erased. */
  erasers: { read: readonly number[][]; write: readonly number[][] } | null;
}

/** Changes `state` [keyDim][valueDim] and returns the outputs. */
export function chunk({ queries, keys, values, logDecays, erasers }: ChunkRows, state: number[][]): number[][] {
  const rows = keys.length;
  const keyDim = state.length;
  const valueDim = state[0].length;
  const sums: number[][] = [];
  for (const [i, decays] of logDecays.entries()) sums.push(decays.map((g, c) => g + (i > 0 ? sums[i - 1][c] : 0)));
  const decayed = (x: readonly number[], i: number, y: readonly number[], j: number): number => x.reduce((sum, value, c) => sum + value * y[c] * Math.exp(sums[i][c] - sums[j][c]), 0);
  const fromState = (x: readonly number[], i: number): number[] =>
    Array.from({ length: valueDim }, (_, v) => x.reduce((sum, value, c) => sum + value * Math.exp(sums[i][c]) * state[c][v], 0));
  const addRow = (target: number[], factor: number, row: readonly number[]): void => row.forEach((value, v) => (target[v] += factor * value));

  const erased: number[][] = [];
  for (const [i, read] of (erasers?.read ?? []).entries()) {
    const row = fromState(read, i);
    for (let j = 0; j < i; j++) {
      addRow(row, decayed(read, i, keys[j], j), values[j]);
      if (erasers) addRow(row, -decayed(read, i, erasers.write[j], j), erased[j]);
    }
    erased.push(row);
  }
  const outputs = queries.map((query, i) => {
    const row = fromState(query, i);
    for (let j = 0; j <= i; j++) {
      addRow(row, decayed(query, i, keys[j], j), values[j]);
      if (erasers) addRow(row, -decayed(query, i, erasers.write[j], j), erased[j]);
    }
    return row;
  });
  const last = sums[rows - 1];
  for (let c = 0; c < keyDim; c++) {
    state[c] = state[c].map((value) => value * Math.exp(last[c]));
    for (let j = 0; j < rows; j++) {
      const rest = Math.exp(last[c] - sums[j][c]);
      addRow(state[c], keys[j][c] * rest, values[j]);
      if (erasers) addRow(state[c], -erasers.write[j][c] * rest, erased[j]);
    }
  }
  return outputs;
}
