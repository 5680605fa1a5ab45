/** Reference of `sparse` attention, in double precision and from its definition, a row at a time. */
import { alwaysChosen, type SparseSpec } from '../models/sparseSpec.ts';

export type SparseShape = Pick<SparseSpec, 'heads' | 'kvHeads' | 'headDim' | 'blockTokens' | 'chosenBlocks' | 'windowTokens'>;

/** Blocks that a row at `position` attends to token by token, in no order; `importance` of each whole block before it. */
export function chosenBlocks({ blockTokens, chosenBlocks: count }: Pick<SparseShape, 'blockTokens' | 'chosenBlocks'>, position: number, importance: readonly number[]): number[] {
  const last = Math.floor(position / blockTokens);
  const always = [...new Set([last, last - 1, 0])].filter((block) => block >= 0).slice(0, alwaysChosen);
  const others = importance.map((share, block) => ({ share, block })).filter(({ block }) => !always.includes(block));
  others.sort((a, b) => (a.share === b.share ? a.block - b.block : b.share - a.share));
  return [...always, ...others.slice(0, Math.max(0, count - always.length)).map(({ block }) => block)];
}

/**
 * The row at `position`, the last of `keys` and `values` ([tokens][kvHeads · headDim]). queries [heads · headDim], scaled;
 * gates [heads][3] before their sigmoids. Returns [heads · headDim].
 */
export function sparseRow(shape: SparseShape, queries: ArrayLike<number>, keys: readonly ArrayLike<number>[], values: readonly ArrayLike<number>[], gates: ArrayLike<number>): Float64Array {
  const { heads, kvHeads, headDim, blockTokens, windowTokens } = shape;
  const position = keys.length - 1;
  const group = heads / kvHeads;
  const blocks = Math.floor(keys.length / blockTokens);
  const out = new Float64Array(heads * headDim);
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    const of = (row: ArrayLike<number>): Float64Array => Float64Array.from({ length: headDim }, (_, d) => row[kvHead * headDim + d]);
    const meanOf = (rows: readonly ArrayLike<number>[], block: number): Float64Array => {
      const sum = new Float64Array(headDim);
      for (const row of rows.slice(block * blockTokens, (block + 1) * blockTokens)) of(row).forEach((x, d) => (sum[d] += x / blockTokens));
      return sum;
    };
    const meanKeys = Array.from({ length: blocks }, (_, block) => meanOf(keys, block));
    const meanValues = Array.from({ length: blocks }, (_, block) => meanOf(values, block));
    const queryOf = (head: number): Float64Array => Float64Array.from({ length: headDim }, (_, d) => queries[head * headDim + d]);
    const members = Array.from({ length: group }, (_, i) => kvHead * group + i);
    const sharesOfBlocks = members.map((head) => softmax(meanKeys.map((key) => dot(queryOf(head), key))));
    const importance = meanKeys.map((_, block) => sharesOfBlocks.reduce((sum, shares) => sum + shares[block], 0));
    const chosen = chosenBlocks(shape, position, importance).flatMap((block) => Array.from({ length: blockTokens }, (_, i) => block * blockTokens + i)).filter((token) => token <= position);
    const window = Array.from({ length: Math.min(windowTokens, keys.length) }, (_, i) => position - i);
    for (const [i, head] of members.entries()) {
      const add = (branch: number, shares: readonly number[], vectors: readonly Float64Array[]): void => {
        const gate = 1 / (1 + Math.exp(-gates[3 * head + branch]));
        shares.forEach((share, at) => vectors[at].forEach((x, d) => (out[head * headDim + d] += gate * share * x)));
      };
      add(0, sharesOfBlocks[i], meanValues);
      for (const [branch, tokens] of [[1, chosen], [2, window]] as const) {
        add(branch, softmax(tokens.map((token) => dot(queryOf(head), of(keys[token])))), tokens.map((token) => of(values[token])));
      }
    }
  }
  return out;
}

function softmax(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - top));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i], 0);
}
