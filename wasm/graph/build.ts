/**
 * Making a graph. For each sampled query the keys of largest inner product are listed exactly; the query nodes of that
 * bipartite graph are then projected away: each key is linked to those it shares most lists with. Keys get bridges to
 * near keys besides, chosen from a search with RoarGraph's occlusion rule, so that those in no list are found too.
 *
 * Where this differs from RoarGraph: it links each query's nearest key to others of the list by the occlusion rule; here
 * links are weighed by shared lists, which finds more for the same number of scored keys (docs/retrieval.md), and lead back
 * to keys that few others lead to. Searches begin at keys that together are in most lists, instead of at one centre,
 * because heads that attend by position leave parts of the graph unconnected.
 */
import { absent, bridgesAt, Graph, keyAt, linksAt, neighboursAt, scoreAt, Scratch, scratchOf, setWord, wordAt } from './layout';
import { nearness } from './products';
import { insert, scan, search } from './search';

/** Links that lead to a key that is in lists, if there is room. */
const leastWays: u32 = 4;
/** Keys that the queries of a call are scored with in turn. */
const keysAtOnce: u32 = 128;
/** Keys that a search proposes as bridges, and the keys it may score for them. */
const bridgeCandidates = 32;
const bridgeScored = 256;

/** The keys of [0, end) of largest inner product with each of `count` queries: `lists` is [count][length]. */
export function nearest(thread: i32, scratches: usize, graph: Graph, queries: usize, count: i32, end: u32, length: i32, lists: usize): i32 {
  const scratch = scratchOf(scratches, thread);
  const best = scratch.best;
  const scores = scratch.scores;
  // All queries meet a few keys before the next few, which the processor's cache holds.
  for (let first: u32 = 0; first < end; first += keysAtOnce) {
    for (let query = 0; query < count; query++) {
      const place = <usize>query * (<usize>length << 2);
      scratch.best = best + place;
      scratch.scores = scores + place;
      scratch.count = min(<i32>first, length);
      scan(graph, scratch, queries + <usize>query * (<usize>graph.dims << 2), first, min(first + keysAtOnce, end), length);
    }
  }
  scratch.best = best;
  scratch.scores = scores;
  const listed = min(<i32>end, length);
  for (let query = 0; query < count; query++) {
    const place = <usize>query * (<usize>length << 2);
    memory.copy(lists + place, best + place, <usize>listed << 2);
    for (let i = listed; i < length; i++) setWord(lists + place, i, absent);
  }
  return count;
}

/** Makes or extends a graph: links of all keys [0, end) from `count` lists, bridges of the new keys [first, end). */
export function build(thread: i32, scratches: usize, graph: Graph, lists: usize, count: i32, length: i32, first: u32, end: u32, maxEntries: i32): i32 {
  const scratch = scratchOf(scratches, thread);
  invert(scratch, lists, count, length, end);
  for (let token: u32 = 0; token < end; token++) link(graph, scratch, lists, length, token);
  linkBack(graph, scratch, end);
  cover(graph, scratch, lists, count, length, end, maxEntries);
  for (let token = first; token < end; token++) setWord(neighboursAt(graph, token), 1, 0);
  for (let token = first; token < end; token++) connect(graph, scratch, token);
  return 0;
}

/** Forgets the keys from `end` on, in the graph and in the lists it was made from. */
export function cut(thread: i32, scratches: usize, graph: Graph, lists: usize, count: i32, length: i32, end: u32): i32 {
  for (let token: u32 = 0; token < end; token++) {
    const counts = neighboursAt(graph, token);
    setWord(counts, 0, cutTokens(linksAt(graph, token), wordAt(counts, 0), end));
    setWord(counts, 1, cutTokens(bridgesAt(graph, token), wordAt(counts, 1), end));
  }
  graph.entryCount = cutTokens(graph.entries, graph.entryCount, end);
  for (let i = 0; i < count * length; i++) if (wordAt(lists, i) >= end) setWord(lists, i, absent);
  return 0;
}

function cutTokens(tokens: usize, count: i32, end: u32): i32 {
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const token = wordAt(tokens, i);
    if (token >= end) continue;
    setWord(tokens, kept, token);
    kept++;
  }
  return kept;
}

/** Which lists each token is in: those of token t are listsOf[listStarts[t] … listStarts[t + 1]]. */
function invert(scratch: Scratch, lists: usize, count: i32, length: i32, end: u32): void {
  const listStarts = scratch.listStarts;
  const listsOf = scratch.listsOf;
  memory.fill(listStarts, 0, <usize>(end + 1) << 2);
  for (let i = 0; i < count * length; i++) {
    const token = wordAt(lists, i);
    if (token != absent) setWord(listStarts, token, wordAt(listStarts, token) + 1);
  }
  let before: u32 = 0;
  for (let token: u32 = 0; token <= end; token++) {
    before += wordAt(listStarts, token);
    setWord(listStarts, token, before);
  }
  // Filled from behind, each start comes down to where its token begins.
  for (let i = count * length - 1; i >= 0; i--) {
    const token = wordAt(lists, i);
    if (token == absent) continue;
    const place = wordAt(listStarts, token) - 1;
    setWord(listStarts, token, place);
    setWord(listsOf, place, i / length);
  }
}

/** Links a key to those it shares most lists with; what is in many lists anyway counts less. */
function link(graph: Graph, scratch: Scratch, lists: usize, length: i32, token: u32): void {
  const listStarts = scratch.listStarts;
  const listsOf = scratch.listsOf;
  const shared = scratch.shared;
  const begin = wordAt(listStarts, token);
  const end = wordAt(listStarts, token + 1);
  scratch.count = 0;
  for (let i = begin; i < end; i++) {
    const list = lists + <usize>wordAt(listsOf, i) * (<usize>length << 2);
    for (let j = 0; j < length; j++) {
      const other = wordAt(list, j);
      if (other != absent) setWord(shared, other, wordAt(shared, other) + 1);
    }
  }
  for (let i = begin; i < end; i++) {
    const list = lists + <usize>wordAt(listsOf, i) * (<usize>length << 2);
    for (let j = 0; j < length; j++) {
      const other = wordAt(list, j);
      if (other == absent) continue;
      const times = wordAt(shared, other);
      if (times == 0) continue;
      setWord(shared, other, 0);
      const all = wordAt(listStarts, other + 1) - wordAt(listStarts, other);
      if (other != token) insert(scratch, graph.maxLinks, other, <f32>times / sqrt<f32>(<f32>all));
    }
  }
  setWord(neighboursAt(graph, token), 0, scratch.count);
  memory.copy(linksAt(graph, token), scratch.best, <usize>scratch.count << 2);
}

/** Keys that few links lead to are linked from those they share most lists with. */
function linkBack(graph: Graph, scratch: Scratch, end: u32): void {
  const ways = scratch.shared;
  for (let token: u32 = 0; token < end; token++) {
    const links = linksAt(graph, token);
    const count = wordAt(neighboursAt(graph, token), 0);
    for (let i: u32 = 0; i < count; i++) setWord(ways, wordAt(links, i), wordAt(ways, wordAt(links, i)) + 1);
  }
  for (let token: u32 = 0; token < end; token++) {
    const count = wordAt(neighboursAt(graph, token), 0);
    const links = linksAt(graph, token);
    for (let i: u32 = 0; i < count && wordAt(ways, token) < leastWays; i++) linkFrom(graph, ways, wordAt(links, i), token);
  }
  memory.fill(ways, 0, <usize>end << 2);
}

/** Links a key to another; where there is no room, in place of the last of its later links that others have too. */
function linkFrom(graph: Graph, ways: usize, from: u32, to: u32): void {
  const counts = neighboursAt(graph, from);
  const links = linksAt(graph, from);
  const count = <i32>wordAt(counts, 0);
  for (let i = 0; i < count; i++) if (wordAt(links, i) == to) return;
  let place = count;
  if (count == graph.maxLinks) {
    do place--;
    while (place >= count / 2 && wordAt(ways, wordAt(links, place)) <= leastWays);
    if (place < count / 2) return;
    setWord(ways, wordAt(links, place), wordAt(ways, wordAt(links, place)) - 1);
  } else setWord(counts, 0, count + 1);
  setWord(links, place, to);
  setWord(ways, to, wordAt(ways, to) + 1);
}

/** Entries: keys chosen one by one, each in the most lists that hold none of those before. Without lists, the first key. */
function cover(graph: Graph, scratch: Scratch, lists: usize, count: i32, length: i32, end: u32, maxEntries: i32): void {
  const shared = scratch.shared;
  const covered = scratch.covered;
  const listStarts = scratch.listStarts;
  const listsOf = scratch.listsOf;
  memory.fill(covered, 0, count);
  for (let token: u32 = 0; token < end; token++) setWord(shared, token, wordAt(listStarts, token + 1) - wordAt(listStarts, token));
  setWord(graph.entries, 0, 0);
  graph.entryCount = 1;
  for (let entry = 0; entry < maxEntries; entry++) {
    let best: u32 = 0;
    for (let token: u32 = 1; token < end; token++) if (wordAt(shared, token) > wordAt(shared, best)) best = token;
    if (wordAt(shared, best) == 0) break;
    setWord(graph.entries, entry, best);
    graph.entryCount = entry + 1;
    for (let i = wordAt(listStarts, best); i < wordAt(listStarts, best + 1); i++) {
      const list = wordAt(listsOf, i);
      if (load<u8>(covered + list) != 0) continue;
      store<u8>(covered + list, 1);
      for (let j = 0; j < length; j++) {
        const other = wordAt(lists + <usize>list * (<usize>length << 2), j);
        if (other != absent) setWord(shared, other, wordAt(shared, other) - 1);
      }
    }
  }
  memory.fill(shared, 0, <usize>end << 2);
}

/** Bridges from a key to near ones, none of which is nearer to another of them than to the key, and back. */
function connect(graph: Graph, scratch: Scratch, token: u32): void {
  const key = keyAt(graph, token);
  search(graph, scratch, key, bridgeCandidates, bridgeScored);
  // Beyond the best there is room for as many again, while they are ordered by nearness.
  const found = scratch.count;
  const candidates = scratch.best + (bridgeCandidates << 2);
  memory.copy(candidates, scratch.best, <usize>found << 2);
  scratch.count = 0;
  for (let i = 0; i < found; i++) {
    const other = wordAt(candidates, i);
    if (other != token) insert(scratch, bridgeCandidates, other, nearness(key, keyAt(graph, other), graph.dims));
  }
  let kept = 0;
  for (let i = 0; i < scratch.count && kept < graph.maxBridges; i++) {
    const other = wordAt(scratch.best, i);
    if (isOccluded(graph, candidates, kept, other, scoreAt(scratch, i))) continue;
    setWord(candidates, kept, other);
    kept++;
  }
  for (let i = 0; i < kept; i++) {
    bridge(graph, token, wordAt(candidates, i));
    bridge(graph, wordAt(candidates, i), token);
  }
}

function isOccluded(graph: Graph, kept: usize, count: i32, token: u32, near: f32): bool {
  const key = keyAt(graph, token);
  for (let i = 0; i < count; i++) if (nearness(keyAt(graph, wordAt(kept, i)), key, graph.dims) > near) return true;
  return false;
}

/** Where there is no room, the farthest gives way to what is nearer. */
function bridge(graph: Graph, from: u32, to: u32): void {
  const counts = neighboursAt(graph, from);
  const links = linksAt(graph, from);
  const bridges = bridgesAt(graph, from);
  const count = wordAt(counts, 1);
  for (let i: u32 = 0; i < wordAt(counts, 0); i++) if (wordAt(links, i) == to) return;
  for (let i: u32 = 0; i < count; i++) if (wordAt(bridges, i) == to) return;
  if (count < <u32>graph.maxBridges) {
    setWord(bridges, count, to);
    setWord(counts, 1, count + 1);
    return;
  }
  const key = keyAt(graph, from);
  let farthest = -1;
  let least = nearness(key, keyAt(graph, to), graph.dims);
  for (let i: u32 = 0; i < count; i++) {
    const near = nearness(key, keyAt(graph, wordAt(bridges, i)), graph.dims);
    if (near >= least) continue;
    least = near;
    farthest = i;
  }
  if (farthest >= 0) setWord(bridges, farthest, to);
}
