/**
 * The RAM that sealed segments lie in, in numbered blocks: each holds the parts of one layer or of several, and goes
 * when the last of them has left. With threads that copy from them, blocks are shared with those.
 */
import type { LongCopies, SharedCopies } from '../../ports.ts';
import { bringRuns } from './bringRuns.ts';
import { asIntegers, noWords } from './copyRuns.ts';

/** A layer's part of a segment in a block. */
export interface RamPart {
  readonly block: number;
  /** Its first word in the block. */
  readonly first: number;
  readonly words: Uint32Array;
}

interface Held {
  sizeBytes: number;
  /** That have not left. */
  parts: number;
}

export class RamBlocks {
  readonly copies: SharedCopies | null;
  /** By number; sources for `copyRuns`. */
  readonly words: Int32Array[] = [];
  readonly #bytes: { ramBytes: number };
  readonly #held = new Map<number, Held>();
  /** Numbers of former blocks, where no one else gives numbers. */
  readonly #idle: number[] = [];

  /** Counts all blocks' bytes in `bytes`. */
  constructor(copies: SharedCopies | null, bytes: { ramBytes: number }) {
    this.copies = copies;
    this.#bytes = bytes;
  }

  /** A block of what is there already, with one part. */
  adopt(words: Uint32Array): RamPart {
    if (this.copies) return this.copy(words, 1)[0];
    return this.#hold(this.#idle.pop() ?? this.words.length, words, 1)[0];
  }

  /** Blocks of a copy of `words`, in `parts` equal parts. */
  copy(words: Uint32Array, parts: number): RamPart[] {
    if (!this.copies) {
      const partWords = words.length / parts;
      return Array.from({ length: parts }, (_, part) => this.adopt(words.slice(part * partWords, (part + 1) * partWords)));
    }
    const { number, whole } = this.#allocate(this.copies, words.byteLength);
    whole.set(words);
    return this.#hold(number, whole, parts);
  }

  /** The same, but where blocks are shared other threads make the copy. */
  async copyBehind(words: Uint32Array, parts: number, longCopies: LongCopies): Promise<RamPart[]> {
    if (!this.copies) return this.copy(words, parts);
    const { number, whole } = this.#allocate(this.copies, words.byteLength);
    await bringRuns([{ words, place: 0 }], whole, longCopies);
    return this.#hold(number, whole, parts);
  }

  /** A part is no longer wanted. */
  leave({ block }: RamPart): void {
    const held = this.#held.get(block);
    if (!held || --held.parts > 0) return;
    this.#bytes.ramBytes -= held.sizeBytes;
    this.#held.delete(block);
    this.words[block] = noWords;
    if (this.copies) this.copies.release(block);
    else this.#idle.push(block);
  }

  #allocate(copies: SharedCopies, sizeBytes: number): { number: number; whole: Uint32Array } {
    const { number, buffer } = copies.allocate(sizeBytes);
    return { number, whole: new Uint32Array(buffer) };
  }

  #hold(block: number, words: Uint32Array, parts: number): RamPart[] {
    this.#bytes.ramBytes += words.byteLength;
    while (this.words.length < block) this.words.push(noWords);
    this.words[block] = asIntegers(words);
    this.#held.set(block, { sizeBytes: words.byteLength, parts });
    const partWords = words.length / parts;
    return Array.from({ length: parts }, (_, part) => ({ block, first: part * partWords, words: words.subarray(part * partWords, (part + 1) * partWords) }));
  }
}
