/**
 * A hub that answers anything: whatever JSON it sends becomes an answer that our own contract accepts, or a named error,
 * quickly. LONGLEAF_FUZZ_CASES (and LONGLEAF_FUZZ_SEED) hunts longer.
 */
import { expect, test } from 'vitest';
import * as z from 'zod';
import { cpuMilliseconds } from '../../engine/formats/gguf/testing/cpuMilliseconds.ts';
import { hubContents, hubRepository } from '../contract/hub.ts';
import { HostError } from '../errors.ts';
import { changeJson, changeText, type Json } from '../testing/jsonFuzz.ts';
import { seededRandom } from '../testing/memoryParts.ts';
import { contentsIn, repositoriesIn } from './hubSearch.ts';

const cases = Number(process.env['LONGLEAF_FUZZ_CASES'] ?? 4000);
const firstSeed = Number(process.env['LONGLEAF_FUZZ_SEED'] ?? 1);
const slowestMs = 250;

const repository = {
  id: 'someone/tiny-GGUF', downloads: 12, likes: 3, lastModified: '2026-01-01T00:00:00.000Z', gated: false,
  tags: ['gguf', 'license:apache-2.0'], gguf: { total: 1000, architecture: 'llama', context_length: 2048 },
};
const lfs = { sha256: 'a'.repeat(64), size: 4096 };
const contents: Json = {
  ...repository, sha: 'b'.repeat(40),
  siblings: [{ rfilename: 'README.md' }, { rfilename: 'tiny.Q4_1.gguf', size: 4096, lfs }, { rfilename: 'big-00001-of-00002.gguf', lfs }, { rfilename: 'big-00002-of-00002.gguf', lfs }],
};

test(`${cases} changed answers of a hub`, { timeout: 30_000 + cases }, async () => {
  const outcomes = { taken: 0, refused: 0, 'no JSON': 0 };
  const heapBefore = process.memoryUsage().heapUsed;
  for (let seed = firstSeed; seed < firstSeed + cases; seed += 1) {
    const random = seededRandom(seed);
    const searched = random() < 0.5;
    const share = [0.02, 0.1, 0.4][seed % 3] ?? 0;
    const spoiled = JSON.stringify(changeJson(searched ? [repository, repository] : contents, random, share));
    const text = random() < 0.3 ? changeText(spoiled, random) : spoiled;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // `HubClient.json` names it.
      outcomes['no JSON'] += 1;
      continue;
    }
    const read = () => (searched ? z.array(hubRepository).parse(repositoriesIn(value, 'hub')) : hubContents.parse(contentsIn(value, 'someone/tiny-GGUF', { host: 'hub', page: 'https://hub/someone/tiny-GGUF' })));
    const startMs = performance.now();
    try {
      read();
      outcomes.taken += 1;
    } catch (error) {
      if (!(error instanceof HostError)) throw new Error(`Seed ${seed} failed: ${text}`, { cause: error });
      outcomes.refused += 1;
    }
    // A busy machine may pause any case; one that is really slow also takes the processor.
    if (performance.now() - startMs > slowestMs) expect(await cpuMilliseconds(async () => void attemptOf(read)), `milliseconds of seed ${seed}`).toBeLessThan(slowestMs);
  }
  expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(0);
  expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(200e6);
  if (process.env['LONGLEAF_FUZZ_CASES']) console.log(`hub JSON: ${cases} cases, ${JSON.stringify(outcomes)}`);
});

/** For its time only. */
function attemptOf(work: () => unknown): void {
  try {
    work();
  } catch {
    // Refused, as before.
  }
}
