/**
 * Compares what `longleaf logits` printed with golden logits:
 *
 *     longleaf logits --tokens GOLDEN.json --model M --json > RESULT.jsonl
 *     node bench/compareLogits.mjs GOLDEN.json RESULT.jsonl [margin] [mean difference]
 *
 * Prints one JSON line a case. Fails (exit status 1) when the top-1 token differs at more than 1 % of
 * the positions or at one whose golden margin exceeds `margin` (0.1), or when the mean difference of
 * log p(next) exceeds `mean difference` (0.01 nats).
 */
import { readFileSync } from 'node:fs';

const [goldenPath, resultPath, marginText = '0.1', differenceText = '0.01'] = process.argv.slice(2);
const golden = JSON.parse(readFileSync(goldenPath, 'utf8')).cases;
const lines = readFileSync(resultPath, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
let failed = false;

for (const expected of golden) {
  const actual = lines.find(({ name, positions }) => name === expected.name && positions);
  if (!actual) throw new Error(`no result for the case "${expected.name}"`);
  const byPosition = new Map(actual.positions.map((position) => [position.position, position]));
  let equal = 0;
  let sum = 0;
  let compared = 0;
  let widestWrongMargin = 0;
  for (const { position, top, logits, next } of expected.positions) {
    const ours = byPosition.get(position);
    if (ours.top[0] === top[0]) equal++;
    else widestWrongMargin = Math.max(widestWrongMargin, logits[0] - logits[1]);
    if (next === null || ours.next === null) continue;
    sum += Math.abs(ours.next - next);
    compared++;
  }
  const share = equal / expected.positions.length;
  const meanDifference = sum / compared;
  const ok = share >= 0.99 && widestWrongMargin <= Number(marginText) && meanDifference <= Number(differenceText);
  failed ||= !ok;
  console.log(JSON.stringify({ case: expected.name, positions: expected.positions.length, top1Share: share, widestWrongMargin, meanDifference, meanNll: actual.meanNll, goldenMeanNll: expected.meanNll, ok }));
}
process.exitCode = failed ? 1 : 0;
