/**
 * Copies short runs that lie anywhere in gigabytes. One after the other, each would wait for memory: a word of each line
 * of memory of many runs is read first, which the processor waits for all at once. It looks only some hundred
 * instructions ahead, so that reading ahead takes as few of them as it can.
 */

/** Runs to copy: [run](number of the source, first word in it, place in the target). */
export interface Runs {
  readonly words: Int32Array;
  count: number;
}

/** Runs that are read ahead: more of them would leave the first cache again before they are copied. */
const groupRuns = 64;
const lineWords = 16;
/** Longer runs are copied in pieces of so many words, whose lines are read without a loop. */
const pieceWords = 4 * lineWords;
/** In place of a source that is none: arrays without holes are read faster. */
export const noWords = new Int32Array(0);
/** Of words that were read ahead; kept so that reading them is not left out. */
const touched = new Int32Array(1);

/**
 * Copies runs [first, end) of `runWords` words each from `sources`, by their numbers, to `target`. Views of i32, whose
 * values need no memory of their own even where the engine has not compiled this yet.
 */
export function copyRuns(sources: readonly Int32Array[], runs: Int32Array, first: number, end: number, runWords: number, target: Int32Array): void {
  for (let begin = first; begin < end; begin += groupRuns) {
    const behind = Math.min(begin + groupRuns, end);
    for (let offset = 0; offset < runWords; offset += pieceWords) {
      const words = Math.min(pieceWords, runWords - offset);
      touched[0] ^= readAhead(sources, runs, begin, behind, offset, words);
      copyPieces(sources, runs, begin, behind, offset, words, target);
    }
  }
}

/** Reads a word of each line of pieces of at most `pieceWords`, and the last one: few pieces begin where a line does. */
function readAhead(sources: readonly Int32Array[], runs: Int32Array, first: number, end: number, offset: number, words: number): number {
  const last = words - 1;
  const second = Math.min(lineWords, last);
  const third = Math.min(2 * lineWords, last);
  const fourth = Math.min(3 * lineWords, last);
  let seen = 0;
  for (let run = first; run < end; run++) {
    const source = sources[runs[3 * run]];
    const from = runs[3 * run + 1] + offset;
    seen ^= source[from] ^ source[from + second] ^ source[from + third] ^ source[from + fourth] ^ source[from + last];
  }
  return seen;
}

function copyPieces(sources: readonly Int32Array[], runs: Int32Array, first: number, end: number, offset: number, words: number, target: Int32Array): void {
  for (let run = first; run < end; run++) {
    const source = sources[runs[3 * run]];
    let from = runs[3 * run + 1] + offset;
    let to = runs[3 * run + 2] + offset;
    // They are short: copying word by word takes less than making two views.
    for (const behind = from + words; from < behind; ) target[to++] = source[from++];
  }
}

/** The same memory as i32. */
export function asIntegers(words: Uint32Array, first = 0): Int32Array {
  return new Int32Array(words.buffer, words.byteOffset + 4 * first, words.length - first);
}
