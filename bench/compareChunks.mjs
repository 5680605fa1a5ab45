/**
 * Compares what `longleaf logits --json` printed for the same tokens fed in chunks of different sizes:
 *
 *     node bench/compareChunks.mjs [--limit 1e-3] ALL-AT-ONCE.jsonl CHUNKED.jsonl …
 *
 * One JSON line a file and case with the largest difference of a logit among the eight most likely and
 * whether the most likely token is the same everywhere. Exit status 1 when a limit is exceeded.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({ options: { limit: { type: 'string', default: '1e-3' } }, allowPositionals: true });
const [reference, ...others] = positionals;
const expected = casesOf(reference);
let failed = false;
for (const path of others) {
  for (const [name, positions] of casesOf(path)) {
    let largest = 0;
    let otherTop = 0;
    for (const [index, { top, logits }] of expected.get(name).entries()) {
      const actual = positions[index];
      if (actual.top[0] !== top[0]) otherTop++;
      top.forEach((/** @type {number} */ token, /** @type {number} */ rank) => {
        const place = actual.top.indexOf(token);
        // The eighth and the ninth may have changed places.
        if (place >= 0) largest = Math.max(largest, Math.abs(actual.logits[place] - logits[rank]));
      });
    }
    const ok = largest <= Number(values.limit) && otherTop === 0;
    failed ||= !ok;
    console.log(JSON.stringify({ file: basename(path), case: name, positions: positions.length, largestDifference: largest, otherTop, ok }));
  }
}
process.exitCode = failed ? 1 : 0;

/** @param {string} path */
function casesOf(path) {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line)).filter(({ positions }) => positions).map(({ name, positions }) => [name, positions]));
}
