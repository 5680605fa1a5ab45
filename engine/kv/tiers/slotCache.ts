/**
 * Which token's key and value lies in which slot of a layer's GPU cache, for each KV head: the books of the cache, kept
 * on the CPU. Victims are found by the clock algorithm; slots used in the current step are never taken. Single tokens
 * are cached, because four of five tokens that a step wants were wanted in the last sixteen steps, while the blocks
 * they lie in bring ten unwanted tokens along.
 */
export class SlotCache {
  readonly slots: number;
  readonly pinnedSlots: number;
  readonly #kvHeads: number;
  readonly #capacityTokens: number;
  /** [kvHead][token]: slot + 1, 0 when absent. */
  readonly #slotOf: Uint32Array;
  /** [kvHead][slot]: token + 1, 0 when free. */
  readonly #tokenIn: Uint32Array;
  /** [kvHead][slot]: the last step that used it. */
  readonly #usedAt: Uint32Array;
  /** [kvHead][slot]: 1 when it was used since the clock hand last passed. */
  readonly #again: Uint8Array;
  readonly #hands: Uint32Array;
  #step = 1;
  hits = 0;
  misses = 0;

  /** The first `pinnedSlots` of `slots` slots a head belong to the sinks and are not managed here. */
  constructor({ kvHeads, slots, pinnedSlots, capacityTokens }: { kvHeads: number; slots: number; pinnedSlots: number; capacityTokens: number }) {
    if (slots <= pinnedSlots) throw new RangeError(`${slots} slots leave none beside ${pinnedSlots} pinned ones`);
    this.slots = slots;
    this.pinnedSlots = pinnedSlots;
    this.#kvHeads = kvHeads;
    this.#capacityTokens = capacityTokens;
    this.#slotOf = new Uint32Array(kvHeads * capacityTokens);
    this.#tokenIn = new Uint32Array(kvHeads * slots);
    this.#usedAt = new Uint32Array(kvHeads * slots);
    this.#again = new Uint8Array(kvHeads * slots);
    this.#hands = new Uint32Array(kvHeads).fill(pinnedSlots);
  }

  /** Starts a step: the slots of the one before may be taken again. */
  begin(): void {
    this.#step++;
  }

  /**
   * Finds or makes a slot for each of `tokens`, until all slots are used in this step; returns how many tokens got
   * one. Their slots go to `target` from `offset` on; `onMiss` hears of each that must be filled.
   */
  assign(kvHead: number, tokens: Uint32Array, target: Uint32Array, offset: number, onMiss: (token: number, slot: number) => void): number {
    const room = this.slots - this.pinnedSlots;
    const count = Math.min(tokens.length, room);
    const tokenBase = kvHead * this.#capacityTokens;
    const slotBase = kvHead * this.slots;
    // Hits first: a miss must not take the slot of a token that is wanted too.
    for (let i = 0; i < count; i++) {
      const slot = this.#slotOf[tokenBase + tokens[i]];
      if (slot === 0) continue;
      this.#usedAt[slotBase + slot - 1] = this.#step;
      this.#again[slotBase + slot - 1] = 1;
      target[offset + i] = slot - 1;
      this.hits++;
    }
    for (let i = 0; i < count; i++) {
      const token = tokens[i];
      if (this.#slotOf[tokenBase + token] !== 0) continue;
      const slot = this.#victim(kvHead);
      const before = this.#tokenIn[slotBase + slot];
      if (before !== 0) this.#slotOf[tokenBase + before - 1] = 0;
      this.#slotOf[tokenBase + token] = slot + 1;
      this.#tokenIn[slotBase + slot] = token + 1;
      this.#usedAt[slotBase + slot] = this.#step;
      this.#again[slotBase + slot] = 1;
      target[offset + i] = slot;
      this.misses++;
      onMiss(token, slot);
    }
    return count;
  }

  /** Forgets the tokens from `firstToken` on, whose positions will hold other text. */
  forgetFrom(firstToken: number): void {
    for (let kvHead = 0; kvHead < this.#kvHeads; kvHead++) {
      for (let slot = this.pinnedSlots; slot < this.slots; slot++) {
        const token = this.#tokenIn[kvHead * this.slots + slot];
        if (token === 0 || token - 1 < firstToken) continue;
        this.#tokenIn[kvHead * this.slots + slot] = 0;
        this.#slotOf[kvHead * this.#capacityTokens + token - 1] = 0;
      }
    }
  }

  /** The next slot that was not used in this step and not since the hand last came by. */
  #victim(kvHead: number): number {
    const base = kvHead * this.slots;
    for (let looked = 0; looked < 3 * this.slots; looked++) {
      const slot = this.#hands[kvHead];
      this.#hands[kvHead] = slot + 1 < this.slots ? slot + 1 : this.pinnedSlots;
      if (this.#tokenIn[base + slot] === 0) return slot;
      if (this.#usedAt[base + slot] === this.#step) continue;
      if (this.#again[base + slot] === 0) return slot;
      this.#again[base + slot] = 0;
    }
    throw new Error('every slot is in use');
  }
}
