import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { seededRandom } from '../formats/quantisation/testing/seededRandom.ts';
import type { KvLayout } from '../layers/attention/layout.ts';
import { fillCache, type ProblemShape, randomProblem } from '../layers/attention/testing.ts';
import { watchedShares } from '../reference/watch.ts';
import { sinkTokens } from '../retrieval/layout.ts';
import { openTestDevice, upload } from '../testing/device.ts';
import { recentTokens } from './rangeKernels.ts';
import { bindWatchKernels, type WatchedLayer, type WatchedPart } from './watchKernels.ts';

const capacityRows = 11;

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

const random = seededRandom(23);
const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));

const shapes = Array.from({ length: 12 }, (_, seed): ProblemShape => {
  const kvHeads = between(1, 3);
  const half = random() < 0.5;
  return { kvHeads, heads: kvHeads * between(1, 4), headDim: half ? 64 : 24, rows: between(1, 10), position: between(0, 300), window: random() < 0.4 ? between(1, 70) : null, seed, queryScale: random() < 0.3 ? 30 : 1, half };
});

/** Parts of unlike lengths that cover every position up to `end`, and one behind it that stays empty. */
function partsUpTo(end: number): WatchedPart[] {
  const parts: WatchedPart[] = [{ begin: 0, end: sinkTokens, zone: 'sinks' }];
  while (parts[parts.length - 1].end < end) {
    const begin = parts[parts.length - 1].end;
    parts.push({ begin, end: begin + between(1, 9), zone: begin < 0.7 * end ? 'document' : 'other' });
  }
  const last = parts[parts.length - 1].end;
  return [...parts, { begin: last, end: last + 20, zone: 'other' }];
}

/** A layer with its keys in a cache (a ring where it has a window), its queries where rows lie in turn. */
function layerOf(problem: ReturnType<typeof randomProblem>, watched: readonly number[], half: boolean): WatchedLayer {
  const { rows, heads, kvHeads, headDim, position, window } = problem;
  const tokens = position + rows;
  const layout: KvLayout = { format: half ? 'f16' : 'f32', kvHeads, headDim, capacitySlots: window === null ? tokens : Math.min(tokens, window + rows + 3) };
  const keys = device.memory.storage('kv', 'keys', kvHeads * layout.capacitySlots * headDim * 4);
  fillCache(device, keys, layout, problem.keys, Math.max(0, tokens - layout.capacitySlots), tokens);
  const queries = new Float32Array(capacityRows * watched.length * headDim);
  for (let row = 0; row < rows; row++) {
    for (const [i, head] of watched.entries()) {
      const from = (row * heads + head) * headDim;
      queries.set(problem.queries.subarray(from, from + headDim), (((position + row) % capacityRows) * watched.length + i) * headDim);
    }
  }
  return { queries: upload(device, queries), keys, layout, heads, window, watched };
}

test.each(shapes)('$heads heads of $headDim over $kvHeads, $rows rows after $position, window $window: shares are those of the reference', async (shape) => {
  // Two layers of one shape: what one writes is not the other's.
  const problems = [randomProblem(shape), randomProblem({ ...shape, seed: shape.seed + 100 })];
  const { rows, position, heads } = problems[0];
  const watched = problems.map(() => Array.from({ length: heads }, (_, head) => head).filter((head) => head === heads - 1 || random() < 0.5));
  const parts = partsUpTo(position + rows);
  const count = watched[0].length + watched[1].length;
  const factors = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 0 : 0.25));
  const kernels = await bindWatchKernels(device, problems.map((problem, i) => layerOf(problem, watched[i], shape.half ?? false)), { capacityRows, parts, factors });
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  kernels.within({ position, rows })(pass);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  const shares = await readback.floats(kernels.shares, 0, capacityRows * parts.length);
  const zones = await readback.floats(kernels.zones, 0, 4 * capacityRows * count);
  kernels.free();

  for (let row = 0; row < rows; row++) {
    const slot = (position + row) % capacityRows;
    const wanted = parts.map(() => 0);
    for (const [i, { layer, head }] of watched.flatMap((some, layer) => some.map((head) => ({ layer, head }))).entries()) {
      const expected = watchedShares(problems[layer], row, head, parts, recentTokens);
      for (const [part, share] of expected.shares.entries()) wanted[part] += factors[i] * share;
      const { sinks, recent, document, other } = expected.zones;
      const found = zones.subarray(4 * (slot * count + i), 4 * (slot * count + i + 1));
      for (const [zone, share] of [sinks, recent, document, other].entries()) expect(Math.abs(found[zone] - share)).toBeLessThan(1e-3);
    }
    for (const [part, share] of wanted.entries()) expect(Math.abs(shares[slot * parts.length + part] - share)).toBeLessThan(1e-3);
  }
});
