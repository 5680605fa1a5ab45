/** Characters of a text → the tokens that hold them. */

/**
 * @param starts where each token starts in the text, as `encodeWithOffsets` gives them, in order
 * @param start, end characters [start, end)
 * @returns tokens [start, end): the fewest that hold all of these characters
 */
export function tokenRange(starts: readonly number[], start: number, end: number): { start: number; end: number } {
  if (end <= start) {
    const at = lowerBound(starts, start);
    return { start: at, end: at };
  }
  // A character may take several tokens, which all start where it does: the first of them begins the range.
  const containing = starts[Math.max(0, lowerBound(starts, start + 1) - 1)] ?? 0;
  return { start: lowerBound(starts, containing), end: lowerBound(starts, end) };
}

/** The first index whose value is not less than `value`. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
