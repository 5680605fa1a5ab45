/** What lies in the shared memory; `engine/retrieval/graph/layerGraph.ts` writes these records. */

/** One query head's graph over the keys of its KV head. */
@unmanaged
export class Graph {
  /** [tokens][dims] f32, 16-byte aligned. */
  keys!: usize;
  /** [tokens][2 + maxLinks + maxBridges] u32: how many links and bridges a key has, then the tokens they lead to. */
  neighbours!: usize;
  /** [entryCount] u32: where searches begin. */
  entries!: usize;
  entryCount!: i32;
  /** A multiple of 4. */
  dims!: i32;
  /** Links lead to keys that the prompt's queries wanted together with this one. */
  maxLinks!: i32;
  /** Bridges lead to near keys, so that keys which no query wanted are found too. */
  maxBridges!: i32;
}

/** What one thread needs while it works. */
@unmanaged
export class Scratch {
  /** [tokens] u32: the search that last saw a token. */
  seen!: usize;
  /** [tokens] u32, 0 between calls: in how many lists a token is. */
  shared!: usize;
  /** The best so far, best first: f32 scores and u32 tokens; room for all tokens, and for the lists of a call's queries. */
  scores!: usize;
  best!: usize;
  count!: i32;
  /** Number of the current search. */
  search!: u32;
  /** Keys that the current search has scored. */
  scored!: i32;
  /** [tokens + 1] u32 and [lists · listLength] u32: which lists a token is in, while a graph is made. */
  listStarts!: usize;
  listsOf!: usize;
  /** [lists] u8. */
  covered!: usize;
}

/** In a list: no token. */
export const absent: u32 = 0xffffffff;

export function scratchOf(scratches: usize, thread: i32): Scratch {
  return changetype<Scratch>(scratches + <usize>thread * offsetof<Scratch>());
}

export function keyAt(graph: Graph, token: u32): usize {
  return graph.keys + <usize>token * (<usize>graph.dims << 2);
}

/** The address of a key's counts; its links begin 8 bytes later. */
export function neighboursAt(graph: Graph, token: u32): usize {
  return graph.neighbours + <usize>token * (<usize>(2 + graph.maxLinks + graph.maxBridges) << 2);
}

export function linksAt(graph: Graph, token: u32): usize {
  return neighboursAt(graph, token) + 8;
}

export function bridgesAt(graph: Graph, token: u32): usize {
  return neighboursAt(graph, token) + 8 + (<usize>graph.maxLinks << 2);
}

/** The i-th of an array of u32. */
export function wordAt(array: usize, i: u32): u32 {
  return load<u32>(array + (<usize>i << 2));
}

export function setWord(array: usize, i: u32, value: u32): void {
  store<u32>(array + (<usize>i << 2), value);
}

export function scoreAt(scratch: Scratch, place: i32): f32 {
  return load<f32>(scratch.scores + (<usize>place << 2));
}
