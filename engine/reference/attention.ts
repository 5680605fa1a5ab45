/** Reference of the attention kernels, in double precision. */

export interface AttentionProblem {
  /** [rows][heads][headDim], already scaled. */
  queries: Float32Array;
  /** [tokens][kvHeads][headDim], tokens = position + rows. */
  keys: Float32Array;
  values: Float32Array;
  heads: number;
  kvHeads: number;
  headDim: number;
  rows: number;
  position: number;
  /** Tokens a query sees, itself included; null sees all before it. */
  window: number | null;
}

export interface Partial {
  output: Float64Array;
  /** -Infinity when there was no key. */
  logSumExp: number;
}

/** Softmax-weighted mean of the values, and log Σ e^score, of the keys [begin, end) for one head's query. */
export function attendRange(problem: AttentionProblem, row: number, head: number, begin: number, end: number): Partial {
  const { queries, keys, values, heads, kvHeads, headDim } = problem;
  const kvHead = Math.floor(head / (heads / kvHeads));
  const query = queries.subarray((row * heads + head) * headDim, (row * heads + head + 1) * headDim);
  const scores: number[] = [];
  for (let token = begin; token < end; token++) {
    const base = (token * kvHeads + kvHead) * headDim;
    let score = 0;
    for (let i = 0; i < headDim; i++) score += query[i] * keys[base + i];
    scores.push(score);
  }
  const output = new Float64Array(headDim);
  if (scores.length === 0) return { output, logSumExp: -Infinity };
  const highest = scores.reduce((a, b) => Math.max(a, b));
  let total = 0;
  scores.forEach((score, index) => {
    const weight = Math.exp(score - highest);
    const base = ((begin + index) * kvHeads + kvHead) * headDim;
    total += weight;
    for (let i = 0; i < headDim; i++) output[i] += weight * values[base + i];
  });
  for (let i = 0; i < headDim; i++) output[i] /= total;
  return { output, logSumExp: highest + Math.log(total) };
}

/** The keys that a row sees: [begin, end). */
export function visibleRange({ position, window }: Pick<AttentionProblem, 'position' | 'window'>, row: number): [number, number] {
  const end = position + row + 1;
  return [window === null ? 0 : Math.max(0, end - window), end];
}

/** [rows][heads][headDim]. */
export function attend(problem: AttentionProblem): Float32Array {
  const { rows, heads, headDim } = problem;
  const out = new Float32Array(rows * heads * headDim);
  for (let row = 0; row < rows; row++) {
    const [begin, end] = visibleRange(problem, row);
    for (let head = 0; head < heads; head++) {
      out.set(attendRange(problem, row, head, begin, end).output, (row * heads + head) * headDim);
    }
  }
  return out;
}

/** Exact merge of parts over disjoint keys; any order, any grouping. */
export function mergePartials(parts: readonly Partial[]): Partial {
  const highest = parts.reduce((most, part) => Math.max(most, part.logSumExp), -Infinity);
  const output = new Float64Array(parts[0].output.length);
  if (highest === -Infinity) return { output, logSumExp: -Infinity };
  let total = 0;
  for (const part of parts) {
    const weight = Math.exp(part.logSumExp - highest);
    total += weight;
    for (let i = 0; i < output.length; i++) output[i] += weight * part.output[i];
  }
  for (let i = 0; i < output.length; i++) output[i] /= total;
  return { output, logSumExp: highest + Math.log(total) };
}
