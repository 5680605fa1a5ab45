/**
 * The books of a layer's slot cache, for one KV head: which token lies in which slot, and which slot a token that is
 * asked for may take. The oracle of slot_lookup.wgsl and kv_scatter.wgsl.
 */

/** In `slotOf`: reserved, but the vector is not there yet. */
export const pendingSlot = 0xffff;

export interface SlotBooks {
  pinnedSlots: number;
  /** [token]: slot + 1, 0 when absent, `pendingSlot` while on its way. */
  slotOf: Uint16Array;
  /** [slot]: token + 1 that it is given to, 0 when free. */
  tokenIn: Uint32Array;
  /** [slot]: number of the lookup that used it last. */
  usedAt: Uint32Array;
  /** The slot after the last one taken, without the pinned ones. */
  hand: number;
}

export interface LookupNumbers {
  /** Larger than that of any lookup before. */
  now: number;
  /** Pinned slots that the list begins with. */
  sinks: number;
  requestLimit: number;
  /** Every token is listed, because the step waits for those that are fetched; else hits only. */
  waiting: boolean;
}

export interface SlotRequest {
  token: number;
  slot: number;
}

export interface Lookup {
  /** Slots to attend to, in the order of `tokens`. */
  list: number[];
  /** Tokens whose slots are listed. */
  attended: number[];
  hits: number;
  requests: SlotRequest[];
}

export function emptyBooks({ capacityTokens, slots, pinnedSlots }: { capacityTokens: number; slots: number; pinnedSlots: number }): SlotBooks {
  return { pinnedSlots, slotOf: new Uint16Array(capacityTokens), tokenIn: new Uint32Array(slots), usedAt: new Uint32Array(slots), hand: 0 };
}

/** Ages, in lookups, from which on slots may be taken: the first that leaves enough of them. */
const takenFromAges = [16, 4, 1];

/** Looks up `tokens`, at most as many as there are slots that are not pinned, and reserves slots for what is absent. */
export function lookUp(books: SlotBooks, tokens: ArrayLike<number>, { now, sinks, requestLimit, waiting }: LookupNumbers): Lookup {
  const { slotOf, tokenIn, usedAt, pinnedSlots } = books;
  const managed = tokenIn.length - pinnedSlots;
  const all = Array.from(tokens);
  const hits = all.filter((token) => slotOf[token] !== 0 && slotOf[token] !== pendingSlot);
  for (const token of hits) usedAt[slotOf[token] - 1] = now;
  const asked = all.filter((token) => slotOf[token] === 0).slice(0, requestLimit);
  const victims: number[] = [];
  for (const age of takenFromAges) {
    const start = books.hand;
    for (let seen = 0; seen < managed && victims.length < asked.length; seen++) {
      const place = (start + seen) % managed;
      const slot = pinnedSlots + place;
      if (now - usedAt[slot] < age) continue;
      usedAt[slot] = now;
      victims.push(slot);
      books.hand = (place + 1) % managed;
    }
  }
  const attendedHits = waiting ? null : hits.map((token) => slotOf[token] - 1);
  for (const slot of victims) {
    const before = tokenIn[slot];
    if (before !== 0 && (slotOf[before - 1] === slot + 1 || slotOf[before - 1] === pendingSlot)) slotOf[before - 1] = 0;
  }
  victims.forEach((slot, i) => {
    tokenIn[slot] = asked[i] + 1;
    slotOf[asked[i]] = waiting ? slot + 1 : pendingSlot;
  });
  const list = [...Array(sinks).keys(), ...(attendedHits ?? all.map((token) => slotOf[token] - 1))];
  return { list, attended: waiting ? all : hits, hits: hits.length, requests: victims.map((slot, i) => ({ token: asked[i], slot })) };
}

/**
 * For each slot whether its vectors count when everything in slots is attended to, and how many members each cluster has
 * outside of them. `counts`: members of each cluster; `clusterOf`: a token's cluster, null without one. The oracle of slot_weights.wgsl.
 */
export function weighSlots({ slotOf, tokenIn, pinnedSlots }: SlotBooks, counts: readonly number[], clusterOf: (token: number) => number | null): { weights: number[]; remaining: number[]; held: number } {
  const remaining = [...counts];
  let held = 0;
  const weights = Array.from(tokenIn, (given, slot) => {
    if (slot < pinnedSlots) return 1;
    if (given === 0 || slotOf[given - 1] !== slot + 1) return 0;
    held++;
    const cluster = clusterOf(given - 1);
    if (cluster !== null) remaining[cluster]--;
    return 1;
  });
  return { weights, remaining, held };
}

/** Enters what has come; returns whether its vector belongs into its slot still. */
export function arrive({ slotOf, tokenIn }: SlotBooks, { token, slot }: SlotRequest): boolean {
  if (tokenIn[slot] !== token + 1) return false;
  if (slotOf[token] === pendingSlot) slotOf[token] = slot + 1;
  return true;
}
