/** Finding the keys of largest inner product with a query: by scoring all, or by walking a graph. */
import { bridgesAt, Graph, keyAt, linksAt, neighboursAt, scoreAt, Scratch, scratchOf, setWord, wordAt } from './layout';
import { innerProduct } from './products';

/** In the top bits of a token among the best: its links, or its bridges, were followed. */
const linksFollowed: u32 = 0x80000000;
const bridgesFollowed: u32 = 0x40000000;
const tokenBits: u32 = 0x3fffffff;

/** Puts a token among the best `width`; of equal scores the first stays first. Returns its place, `width` if none. */
export function insert(scratch: Scratch, width: i32, token: u32, score: f32): i32 {
  const count = scratch.count;
  if (count == width && !(score > scoreAt(scratch, count - 1))) return width;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (scoreAt(scratch, middle) >= score) low = middle + 1;
    else high = middle;
  }
  const moved = <usize>(min(count, width - 1) - low) << 2;
  const scorePlace = scratch.scores + (<usize>low << 2);
  const tokenPlace = scratch.best + (<usize>low << 2);
  memory.copy(scorePlace + 4, scorePlace, moved);
  memory.copy(tokenPlace + 4, tokenPlace, moved);
  store<f32>(scorePlace, score);
  store<u32>(tokenPlace, token);
  if (count < width) scratch.count = count + 1;
  return low;
}

/** Scores the keys [first, end) and puts the best among the best `width`. */
export function scan(graph: Graph, scratch: Scratch, query: usize, first: u32, end: u32, width: i32): void {
  for (let token = first; token < end; token++) insert(scratch, width, token, innerProduct(query, keyAt(graph, token), graph.dims));
  scratch.scored += <i32>(end - first);
}

/** Scores those of `tokens` that this search has not seen; the best place one of them took, `width` if none. */
function follow(graph: Graph, scratch: Scratch, query: usize, width: i32, tokens: usize, count: i32): i32 {
  let best = width;
  for (let i = 0; i < count; i++) {
    const token = wordAt(tokens, i);
    if (wordAt(scratch.seen, token) == scratch.search) continue;
    setWord(scratch.seen, token, scratch.search);
    scratch.scored++;
    best = min(best, insert(scratch, width, token, innerProduct(query, keyAt(graph, token), graph.dims)));
  }
  return best;
}

/**
 * Best-first search. Follows the links of the best key not yet followed among the best `width`; when all are, the
 * bridges of the best. Ends when there is nothing to follow, or when `maxScored` keys were scored.
 */
export function search(graph: Graph, scratch: Scratch, query: usize, width: i32, maxScored: i32): void {
  scratch.search++;
  scratch.count = 0;
  scratch.scored = 0;
  follow(graph, scratch, query, width, graph.entries, graph.entryCount);
  let followed = linksFollowed;
  let next = 0;
  while (scratch.scored < maxScored) {
    while (next < scratch.count && (wordAt(scratch.best, next) & followed) != 0) next++;
    if (next == scratch.count) {
      if (followed == bridgesFollowed) break;
      followed = bridgesFollowed;
      next = 0;
      continue;
    }
    const token = wordAt(scratch.best, next) & tokenBits;
    setWord(scratch.best, next, wordAt(scratch.best, next) | followed);
    const isLinks = followed == linksFollowed;
    const counts = neighboursAt(graph, token);
    const place = isLinks
      ? follow(graph, scratch, query, width, linksAt(graph, token), wordAt(counts, 0))
      : follow(graph, scratch, query, width, bridgesAt(graph, token), wordAt(counts, 1));
    // What a bridge has found has links of its own.
    if (place < width) followed = linksFollowed;
    next = !isLinks && place < width ? 0 : min(next, place);
  }
  for (let i = 0; i < scratch.count; i++) setWord(scratch.best, i, wordAt(scratch.best, i) & tokenBits);
}

/**
 * The `wanted` best keys of [0, end) for a query, written to `results` as [1 + 2·wanted] words: how many, tokens, scores
 * (f32). Keys from `indexed` on are not in the graph yet and are all scored. Returns how many keys were scored.
 */
export function find(thread: i32, scratches: usize, graph: Graph, query: usize, wanted: i32, width: i32, maxScored: i32, indexed: u32, end: u32, results: usize): i32 {
  const scratch = scratchOf(scratches, thread);
  let found = 0;
  if (indexed > 0) {
    search(graph, scratch, query, width, maxScored);
    found = scratch.count;
  }
  // A walk that ended with less than was wanted, where keys are all alike and link in cliques, counts for nothing.
  const walked = found >= min(wanted, <i32>indexed);
  if (!walked || indexed == 0) {
    scratch.count = 0;
    scratch.scored = 0;
  }
  scan(graph, scratch, query, walked ? indexed : 0, end, width);
  const count = min(wanted, scratch.count);
  setWord(results, 0, count);
  memory.copy(results + 4, scratch.best, <usize>count << 2);
  memory.copy(results + 4 + (<usize>wanted << 2), scratch.scores, <usize>count << 2);
  return scratch.scored;
}
