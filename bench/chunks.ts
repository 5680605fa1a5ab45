/**
 * Whether logits depend on how a prompt was cut into chunks, and whether rounding keys and values does it.
 *
 *     node dist/bench/chunks.js --golden CASES.logits.json --model M.gguf [--formats f16,f32] [--chunks 1,7,64] [--limit 1e-3]
 *
 * The tokens of every case are read all at once, then in chunks of each size, with keys and values in each format. One
 * JSON line a format, case and size: the largest difference of a logit among the eight most likely, and at how many
 * positions another token is the most likely. Exit status 1 when a difference passes the limit in f32, where nothing
 * is rounded on the way into the cache.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { Readback } from '../engine/device/readback.ts';
import { evaluateLogits, type LogitsPosition } from '../engine/evaluateLogits.ts';
import { loadModel } from '../engine/model.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { FileWeightSource } from '../host/models/fileWeightSource.ts';

const { values } = parseArgs({
  options: {
    golden: { type: 'string' },
    model: { type: 'string' },
    formats: { type: 'string', default: 'f16,f32' },
    chunks: { type: 'string', default: '1,7,64' },
    limit: { type: 'string', default: '1e-3' },
  },
});
if (!values.golden || !values.model) throw new Error('--golden and --model are needed');
const modelPath = values.model;
const limit = Number(values.limit);
const formats = z.array(z.enum(['f16', 'f32'])).parse(values.formats.split(','));
const chunkSizes = z.array(z.coerce.number().int().positive()).parse(values.chunks.split(','));
const goldenFile = z.object({ cases: z.array(z.object({ name: z.string(), tokens: z.array(z.number()), positions: z.array(z.object({ position: z.number() })) })).min(1) });
const { cases } = goldenFile.parse(JSON.parse(readFileSync(values.golden, 'utf8')));

const device = await openAdapter({ boundsChecks: false });
const readback = new Readback(device);
let failed = false;
for (const kvFormat of formats) {
  const source = await FileWeightSource.open(modelPath);
  const model = await loadModel(device, source, { contextTokens: 1024, kvBudgetBytes: Infinity, kvFormat, choices: new Map() });
  await source.close();
  for (const { name, tokens: stream, positions: asked } of cases) {
    // All at once is one pass through the layers.
    const tokens = stream.slice(0, model.runner.maxRows);
    const positions = asked.map(({ position }) => position).filter((position) => position < tokens.length);
    const evaluate = (chunkTokens: number): Promise<LogitsPosition[]> =>
      evaluateLogits(device, model.runner, model.sequence, readback, { tokens, positions, chunkTokens });
    const whole = await evaluate(tokens.length);
    for (const chunkTokens of chunkSizes) {
      const { largestDifference, otherTop } = compare(whole, await evaluate(chunkTokens));
      failed ||= kvFormat === 'f32' && (largestDifference > limit || otherTop > 0);
      console.log(JSON.stringify({ model: basename(modelPath), adapter: device.facts.name, kvFormat, case: name, positions: positions.length, chunkTokens, largestDifference, otherTop }));
    }
  }
  model.free();
}
device.destroy();
process.exit(failed ? 1 : 0);

function compare(whole: readonly LogitsPosition[], chunked: readonly LogitsPosition[]): { largestDifference: number; otherTop: number } {
  let largestDifference = 0;
  let otherTop = 0;
  whole.forEach(({ top, logits }, index) => {
    const other = chunked[index];
    if (other.top[0] !== top[0]) otherTop++;
    top.forEach((token, rank) => {
      const place = other.top.indexOf(token);
      // The eighth and the ninth may have changed places.
      if (place >= 0) largestDifference = Math.max(largestDifference, Math.abs(other.logits[place] - logits[rank]));
    });
  });
  return { largestDifference, otherTop };
}
