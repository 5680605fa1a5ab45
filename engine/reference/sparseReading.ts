/** Reference of sparse reading, in double precision: means of keys, what blocks are worth to sampled queries, the choice. */
import { type BlockShares, blockTokens, meansPerBlock, meanTokens } from '../layers/sparseReading/sparseReading.ts';

/** The means of each 16 of `keys` ([headDim] each), as far as they are whole. */
export function keyMeans(keys: readonly ArrayLike<number>[]): Float64Array[] {
  return Array.from({ length: Math.floor(keys.length / meanTokens) }, (_, number) => {
    const sum = new Float64Array(keys[0].length);
    for (const key of keys.slice(number * meanTokens, (number + 1) * meanTokens)) for (let i = 0; i < sum.length; i++) sum[i] += key[i] / meanTokens;
    return sum;
  });
}

/** The rows of a block of `rows` rows whose queries are looked at. */
export function sampleOf(rows: number, sampled: number): number[] {
  return Array.from({ length: sampled }, (_, i) => Math.floor(((2 * i + 1) * rows) / (2 * sampled)));
}

/** Of one query, for each of `blocks` blocks: log Σ e^(q · mean). */
export function blockScores(query: ArrayLike<number>, means: readonly ArrayLike<number>[], blocks: number): number[] {
  return Array.from({ length: blocks }, (_, block) => logSumExp(means.slice(block * meansPerBlock, (block + 1) * meansPerBlock).map((mean) => dot(query, mean))));
}

/** What each block gets of the attention of all queries, as far as the means tell. */
export function blockImportance(queries: readonly ArrayLike<number>[], means: readonly ArrayLike<number>[], blocks: number): number[] {
  const importance = Array.from({ length: blocks }, () => 0);
  for (const query of queries) {
    const scores = blockScores(query, means, blocks);
    const sum = logSumExp(scores);
    for (const [block, score] of scores.entries()) importance[block] += Math.exp(score - sum);
  }
  return importance;
}

/** The first block, the near ones, and the `wanted` most important others, of equal ones the earlier; ascending. */
export function blocksToRead({ blocks, nearBlock, wanted }: BlockShares, importance: readonly number[]): number[] {
  const all = Array.from({ length: blocks }, (_, block) => block);
  const others = all.filter((block) => block > 0 && block < nearBlock).sort((a, b) => importance[b] - importance[a] || a - b);
  const chosen = new Set(others.slice(0, wanted));
  return all.filter((block) => block === 0 || block >= nearBlock || chosen.has(block));
}

/** The tokens of blocks. */
export function tokensOf(blocks: readonly number[]): number[] {
  return blocks.flatMap((block) => Array.from({ length: blockTokens }, (_, i) => block * blockTokens + i));
}

function logSumExp(scores: readonly number[]): number {
  const top = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  return top + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - top), 0));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
