/** Recall against a scan of all keys: the policy's graphs, an ordinary HNSW and the sketch, on dumped queries and keys. */
import { graphDegrees, LayerGraph } from '../../engine/retrieval/graph/layerGraph.ts';
import { sinkTokens } from '../../engine/retrieval/layout.ts';
import { innerProducts } from '../../engine/reference/retrieval/graph.ts';
import { WorkerThreads } from '../../host/gpu-worker/workerThreads.ts';
import { type DumpShape, type LayerDump, readLayer, readShape } from './dumpFile.ts';
import { buildHnsw, searchHnsw } from './hnsw.ts';
import { scoreEstimator, sketchKeys } from './sketched.ts';
import { Tallies, type TestQuery } from './tallies.ts';

/** As while reading: one query in eight makes the graph; the latest tokens are in the window. */
const strideTokens = 8;
const windowTokens = 64;
const segmentTokens = 128;
const scoredShares = [0.025, 0.05, 0.1, 0.2];
/** Planes that are read of four, and candidates for each wanted key, which are then scored exactly. */
const sketchReadings = [
  { planes: 4, oversample: 1 },
  { planes: 2, oversample: 4 },
  { planes: 1, oversample: 8 },
];
const threads = 2;

/** `methods`: of `graph`, `hnsw` and `sketch`, those to measure. */
export async function measureRecall({ source, layers, wanted, methods }: { source: string; layers: number[] | null; wanted: number; methods: readonly string[] }): Promise<void> {
  const shape = readShape(source);
  const pool = new WorkerThreads(threads);
  for (const layer of layers ?? shape.layers) {
    const context = { model: shape.model, tokens: shape.want, layer, wanted };
    for (const line of await measureLayer(pool, shape, readLayer(source, layer), { wanted, methods })) console.log(JSON.stringify({ ...context, ...line }));
  }
  await pool.close();
}

async function measureLayer(pool: WorkerThreads, shape: DumpShape, dump: LayerDump, { wanted, methods }: { wanted: number; methods: readonly string[] }): Promise<object[]> {
  const { heads, kvHeads, dim, want } = shape;
  // Far tokens are whole segments.
  const count = Math.floor((want - windowTokens - sinkTokens) / segmentTokens) * segmentTokens;
  const keys = Array.from({ length: kvHeads }, (_, kvHead) => dump.keys.subarray((kvHead * want + sinkTokens) * dim, (kvHead * want + sinkTokens + count) * dim));
  const tests = Array.from({ length: heads }, (_, head) => testQueries(shape, dump, { head, keys: keys[Math.floor((head * kvHeads) / heads)], wanted }));
  const tallies = new Tallies();
  if (methods.includes('graph')) await measureGraph(pool, shape, { keys, queries: dump.queries, tests, wanted, tallies });
  const ofKeys = keys.map((vectors, kvHead) => ({ keys: vectors, tests: tests.slice((kvHead * heads) / kvHeads, ((kvHead + 1) * heads) / kvHeads).flat() }));
  if (methods.includes('hnsw')) measureHnsw(dim, ofKeys, wanted, tallies);
  if (methods.includes('sketch')) measureSketch(dim, ofKeys, wanted, tallies);
  return tallies.lines();
}

async function measureGraph(pool: WorkerThreads, { heads, kvHeads, dim, want }: DumpShape, { keys, queries, tests, wanted, tallies }: { keys: Float32Array[]; queries: Float32Array; tests: TestQuery[][]; wanted: number; tallies: Tallies }): Promise<void> {
  const count = keys[0].length / dim;
  const group = heads / kvHeads;
  const graph = new LayerGraph(pool, { heads, kvHeads, headDim: dim, capacityKeys: count, maxQueries: Math.ceil(want / strideTokens) });
  keys.forEach((vectors, kvHead) => graph.setKeys(kvHead, 0, vectors));
  for (let row = 0; row < want; row += strideTokens) graph.addQueries(queries.subarray(row * heads * dim, (row + 1) * heads * dim));
  let startMs = performance.now();
  await graph.build();
  const buildMsPerHead = (performance.now() - startMs) / heads;
  const { links, bridges, listLength } = graphDegrees;
  tallies.setCosts('graph', { buildMsPerHead, bytesPerKeyAndHead: (4 * (2 + links + bridges) * count + 4 * listLength * graph.queries) / count, indexesPerKvHead: group, threads });
  for (const share of scoredShares) {
    for (let i = 0; i < tests[0].length; i++) {
      const asked = new Float32Array(heads * dim);
      for (let head = 0; head < heads; head++) asked.set(tests[head][i].query, head * dim);
      startMs = performance.now();
      const results = await graph.search(asked, { wanted, width: 4 * wanted, maxScored: Math.floor(share * count) });
      const ms = (performance.now() - startMs) / heads;
      results.forEach((found, head) => tallies.note('graph', share, tests[head][i], { keys: [...found.keys], scored: found.scored, ms }));
      // A KV head attends to what all of its query heads found.
      for (let head = 0; head < heads; head++) {
        const first = head - (head % group);
        const together = results.slice(first, first + group);
        tallies.note('graph, united', share, tests[head][i], { keys: [...new Set(together.flatMap((found) => [...found.keys]))], scored: together.reduce((sum, found) => sum + found.scored, 0) });
      }
    }
  }
  graph.free();
}

function measureHnsw(dim: number, ofKeys: { keys: Float32Array; tests: TestQuery[] }[], wanted: number, tallies: Tallies): void {
  let buildMs = 0;
  let bytes = 0;
  for (const { keys, tests } of ofKeys) {
    const count = keys.length / dim;
    const hnsw = buildHnsw(keys, dim);
    buildMs += hnsw.buildMs;
    bytes += hnsw.bytes / count;
    for (const share of scoredShares) {
      for (const test of tests) {
        const { keys: found, scored } = searchHnsw(hnsw, test.scores, 4 * wanted, share * count);
        tallies.note('hnsw', share, test, { keys: found.slice(0, wanted), scored });
      }
    }
  }
  tallies.setCosts('hnsw', { buildMsPerHead: buildMs / ofKeys.length, bytesPerKeyAndHead: bytes / ofKeys.length, indexesPerKvHead: 1, threads: 1 });
}

function measureSketch(dim: number, ofKeys: { keys: Float32Array; tests: TestQuery[] }[], wanted: number, tallies: Tallies): void {
  const methodOf = (reading: { planes: number; oversample: number }): string => `sketch of ${reading.planes} planes, ${reading.oversample}× the wanted`;
  let buildMs = 0;
  for (const { keys, tests } of ofKeys) {
    const sketch = sketchKeys(keys, dim, { planes: 4, segmentTokens });
    buildMs += sketch.buildMs;
    for (const reading of sketchReadings) {
      const estimate = scoreEstimator(sketch, reading.planes);
      for (const test of tests) {
        const candidates = best(estimate(test.query), reading.oversample * wanted);
        const chosen = candidates.sort((a, b) => test.scores[b] - test.scores[a]).slice(0, wanted);
        tallies.note(methodOf(reading), null, test, { keys: chosen, scored: candidates.length });
      }
      tallies.setCosts(methodOf(reading), { referenceBuildMsPerHead: buildMs / ofKeys.length, bytesPerKeyAndHead: sketch.bytesPerKey, indexesPerKvHead: 1, threads: 1 });
    }
  }
}

/** Queries of the last quarter that no graph was made from, decoded ones, and keys themselves. */
function testQueries({ heads, dim, want, decode }: DumpShape, { queries }: LayerDump, { head, keys, wanted }: { head: number; keys: Float32Array; wanted: number }): TestQuery[] {
  const row = (token: number): Float32Array => queries.subarray((token * heads + head) * dim, (token * heads + head + 1) * dim);
  const prefill = Array.from({ length: 24 }, (_, i) => Math.floor(want * 0.75 + (i * want) / 4 / 24)).map((token) => (token % strideTokens === 0 ? token + 1 : token));
  const all: [TestQuery['kind'], Float32Array[]][] = [
    ['prefill', prefill.map(row)],
    ['decode', Array.from({ length: Math.floor(decode / 2) }, (_, i) => row(want + 2 * i))],
    ['keys', Array.from({ length: 12 }, (_, i) => keys.subarray(i * 197 * dim, (i * 197 + 1) * dim))],
  ];
  return all.flatMap(([kind, vectors]) =>
    vectors.map((query) => {
      const scores = innerProducts(keys, query);
      return { kind, query, scores, truth: best(scores, wanted) };
    }),
  );
}

/** The places of the largest, best first. */
function best(scores: Float64Array, count: number): number[] {
  const least = scores.slice().sort()[Math.max(0, scores.length - count)];
  return [...scores.keys()].filter((place) => scores[place] >= least).sort((a, b) => scores[b] - scores[a] || a - b).slice(0, count);
}
