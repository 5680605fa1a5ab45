/** Reference of the graph searches of `wasm/graph/search.ts`, in double precision. */

export interface Found {
  keys: number[];
  /** Keys whose score was computed. */
  scored: number;
}

/** q·k of every key; `keys` is [key][query.length]. */
export function innerProducts(keys: ArrayLike<number>, query: ArrayLike<number>): Float64Array {
  const dims = query.length;
  const scores = new Float64Array(keys.length / dims);
  for (let key = 0; key < scores.length; key++) {
    let score = 0;
    for (let i = 0; i < dims; i++) score += keys[key * dims + i] * query[i];
    scores[key] = score;
  }
  return scores;
}

/** The keys of largest inner product, best first, of equal ones the first. */
export function scanKeys(keys: ArrayLike<number>, query: ArrayLike<number>, wanted: number): number[] {
  const scores = innerProducts(keys, query);
  return [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b).slice(0, wanted);
}

/** Share of `truth` that is in `found`. */
export function recall(truth: readonly number[], found: Iterable<number>): number {
  const all = new Set(found);
  return truth.filter((key) => all.has(key)).length / truth.length;
}

interface Candidate {
  key: number;
  score: number;
  linksFollowed: boolean;
  bridgesFollowed: boolean;
}

/**
 * Best-first search: follows the links of the best key among the best `width`, where all were followed the bridges of
 * the best, until nothing is left or `maxScored` keys were scored.
 */
export function walkGraph(
  graph: { entries: readonly number[]; neighbours: readonly { links: readonly number[]; bridges: readonly number[] }[] },
  scores: ArrayLike<number>,
  { width, maxScored }: { width: number; maxScored: number },
): Found {
  const best: Candidate[] = [];
  const seen = new Set<number>();
  const look = (keys: readonly number[]): void => {
    for (const key of keys) {
      if (seen.has(key)) continue;
      seen.add(key);
      const after = best.findIndex(({ score }) => score < scores[key]);
      best.splice(after < 0 ? best.length : after, 0, { key, score: scores[key], linksFollowed: false, bridgesFollowed: false });
      best.length = Math.min(best.length, width);
    }
  };
  look(graph.entries);
  while (seen.size < maxScored) {
    const byLinks = best.find(({ linksFollowed }) => !linksFollowed);
    const next = byLinks ?? best.find(({ bridgesFollowed }) => !bridgesFollowed);
    if (!next) break;
    if (byLinks) next.linksFollowed = true;
    else next.bridgesFollowed = true;
    look(byLinks ? graph.neighbours[next.key].links : graph.neighbours[next.key].bridges);
  }
  return { keys: best.map(({ key }) => key), scored: seen.size };
}
