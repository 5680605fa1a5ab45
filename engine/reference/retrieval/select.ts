/** Reference of the selection kernels, in double precision: by sorting. */

export interface ScoreTable {
  /** [heads][stride] f32; -1e30 excludes an entry. */
  scores: Float32Array;
  heads: number;
  kvHeads: number;
  stride: number;
  /** Entries in use, from the start of each row. */
  entries: number;
}

const excluded = -1e29;

/** log Σ e^score of a head over the entries that are not excluded; -Infinity when there is none. */
export function logSumExp(table: ScoreTable, head: number): number {
  const row = table.scores.subarray(head * table.stride, head * table.stride + table.entries).filter((score) => score > excluded);
  const highest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  let total = 0;
  for (const score of row) total += Math.exp(score - highest);
  return row.length === 0 ? -Infinity : highest + Math.log(total);
}

/** log of the sum over a key-value head's query heads of the softmax weight of each entry; -Infinity where excluded. */
export function combinedLogWeights(table: ScoreTable, kvHead: number): Float64Array {
  const group = table.heads / table.kvHeads;
  const heads = Array.from({ length: group }, (_, i) => kvHead * group + i);
  const sums = heads.map((head) => logSumExp(table, head));
  return Float64Array.from({ length: table.entries }, (_, entry) => {
    const logs = heads.map((head, i) => {
      const score = table.scores[head * table.stride + entry];
      return score > excluded ? score - sums[i] : -Infinity;
    });
    const highest = Math.max(...logs);
    if (highest === -Infinity) return -Infinity;
    return highest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - highest), 0));
  });
}

/**
 * The log-weights with those of entries raised to log `share` that lie at most `followers` positions behind one of more.
 * `positions`: of the entries, ascending; left out, their numbers.
 */
export function withFollowers(logWeights: Float64Array, { followers, share }: { followers: number; share: number }, positions?: readonly number[]): Float64Array {
  const followed = Math.log(share);
  const at = (entry: number): number => positions?.[entry] ?? entry;
  const heavy = [...logWeights.keys()].filter((entry) => logWeights[entry] > followed);
  return logWeights.map((weight, entry) => {
    const follows = heavy.some((other) => at(other) < at(entry) && at(entry) <= at(other) + followers);
    return weight > -Infinity && weight < followed && follows ? followed : weight;
  });
}

/** The `wanted` heaviest entries, ascending; of equal ones the first. */
export function selectHeaviest(logWeights: Float64Array, wanted: number): number[] {
  const entries = Array.from(logWeights.keys()).filter((entry) => logWeights[entry] > -Infinity);
  entries.sort((a, b) => logWeights[b] - logWeights[a] || a - b);
  return entries.slice(0, wanted).sort((a, b) => a - b);
}
