/**
 * Download torture: `node bench/downloads.ts [RUNS] [FIRST SEED]` fetches a 64 MB model again and again from a hub on
 * this machine that fails at random, and kills the process that fetches. One line of JSON a run, then a summary.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tinyModel } from '../engine/testing/tinyModel.ts';
import { type TortureResult, bundleDownloader, tortureRun } from '../host/testing/torture/tortureRun.ts';

const [runs = 200, firstSeed = 1] = process.argv.slice(2).map(Number);
/** One run in so many is lied to: other bytes under the right name. */
const liesEvery = 20;
const atOnce = 3;

const folder = mkdtempSync(join(tmpdir(), 'longleaf-downloads-'));
try {
  const program = await bundleDownloader(folder);
  const model = Buffer.from(tinyModel({ architecture: 'llama', layers: 1, hiddenSize: 1024, width: 5036, types: ['F32'] }));
  const results: TortureResult[] = [];
  let next = firstSeed;
  const work = async () => {
    while (next < firstSeed + runs) {
      const seed = next++;
      const result = await tortureRun({ seed, model, program, bytesPerSecond: 12e6, faultShare: 0.15, mostKills: 3, lies: seed % liesEvery === 0 });
      results.push(result);
      process.stdout.write(`${JSON.stringify({ bench: 'downloads', ...result })}\n`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const done = results.filter(({ state }) => state === 'done');
  const twice = done.filter(({ lied }) => !lied).map(({ writtenBytes, sizeBytes }) => writtenBytes / sizeBytes - 1);
  const summary = {
    bench: 'downloads', summary: true, runs: results.length, done: done.length,
    namedMismatches: results.filter(({ failureCode }) => failureCode === 'checksum-mismatch').length,
    kills: sum(results.map(({ kills }) => kills)), faults: sum(results.map(({ faults }) => faults)),
    fetchedTwiceMean: sum(twice) / Math.max(1, twice.length), fetchedTwiceMost: Math.max(0, ...twice), sizeBytes: model.length,
  };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
