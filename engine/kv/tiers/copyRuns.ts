/**
 * Copies short runs that lie anywhere in gigabytes. One after the other, each would wait for memory: a word of each line
 * of memory of many runs is read first, which the processor waits for all at once.
 */

/** Runs to copy: [run](number of the source, first word in it, place in the target). */
export interface Runs {
  readonly words: Int32Array;
  count: number;
}

const touchedRuns = 16;
const lineWords = 16;
/** In place of a source that is none: arrays without holes are read faster. */
export const noWords = new Int32Array(0);
/** Of words that were read ahead; kept so that reading them is not left out. */
const touched = new Int32Array(1);

/**
 * Copies runs [first, end) of `runWords` words each from `sources`, by their numbers, to `target`. Views of i32, whose
 * values need no memory of their own even where the engine has not compiled this yet.
 */
export function copyRuns(sources: readonly Int32Array[], runs: Int32Array, first: number, end: number, runWords: number, target: Int32Array): void {
  let seen = 0;
  for (let begin = first; begin < end; begin += touchedRuns) {
    const last = Math.min(begin + touchedRuns, end);
    for (let run = begin; run < last; run++) {
      const source = sources[runs[3 * run]];
      const from = runs[3 * run + 1];
      for (let word = from; word < from + runWords; word += lineWords) seen ^= source[word];
    }
    for (let run = begin; run < last; run++) {
      const source = sources[runs[3 * run]];
      let from = runs[3 * run + 1];
      let to = runs[3 * run + 2];
      // They are short: copying word by word takes less than making two views.
      for (const behind = from + runWords; from < behind; ) target[to++] = source[from++];
    }
  }
  touched[0] ^= seen;
}

/** The same memory as i32. */
export function asIntegers(words: Uint32Array, first = 0): Int32Array {
  return new Int32Array(words.buffer, words.byteOffset + 4 * first, words.length - first);
}
