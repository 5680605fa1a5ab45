/** Tiles of pairs (row, slot) that chose the same expert. */

/** Pairs in a tile of the kernels that have the smallest. */
export const smallestTileRows = 8;

/** Tiles that `rows` rows may need, at most: a started one for each expert, and the full ones. */
export function tileCount(rows: number, { experts, chosen }: { experts: number; chosen: number }, tileRows: number): number {
  const pairs = rows * chosen;
  return Math.min(experts, pairs) + Math.floor(pairs / tileRows);
}
