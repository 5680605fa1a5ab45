/** Recall against a scan of all keys: the policy's graphs, an ordinary HNSW and the sketch, on dumped queries and keys. */
import { type GraphSearch, graphDegrees, LayerGraph } from '../../engine/retrieval/graph/layerGraph.ts';
import { sinkTokens } from '../../engine/retrieval/layout.ts';
import { innerProducts, recall } from '../../engine/reference/retrieval/graph.ts';
import { estimateScores, sketchSegment } from '../../engine/reference/retrieval/sketch.ts';
import { WorkerThreads } from '../../host/gpu-worker/workerThreads.ts';
import { type DumpShape, type LayerDump, readLayer, readShape } from './dumpFile.ts';
import { buildHnsw, searchHnsw } from './hnsw.ts';

/** As while reading: one query in eight makes the graph; the latest tokens are in the window. */
const strideTokens = 8;
const windowTokens = 64;
const segmentTokens = 128;
const scoredShares = [0.025, 0.05, 0.1, 0.2];

interface Tally {
  recall: number;
  scored: number;
  ms: number;
  count: number;
}

interface HeadQueries {
  kind: 'prefill' | 'decode' | 'keys';
  /** [dim] each. */
  queries: Float32Array[];
}

export async function measureRecall({ source, layers, wanted }: { source: string; layers: number[] | null; wanted: number }): Promise<void> {
  const shape = readShape(source);
  const pool = new WorkerThreads(2, new URL('../worker-thread.js', import.meta.url));
  for (const layer of layers ?? shape.layers) {
    const dump = readLayer(source, layer);
    const context = { model: shape.model, tokens: shape.want, layer, wanted };
    for (const line of await measureLayer(pool, shape, dump, wanted)) console.log(JSON.stringify({ ...context, ...line }));
  }
  await pool.close();
}

async function measureLayer(pool: WorkerThreads, shape: DumpShape, dump: LayerDump, wanted: number): Promise<object[]> {
  const { heads, kvHeads, dim, want } = shape;
  const count = want - windowTokens - sinkTokens;
  const keysOf = (kvHead: number): Float32Array => dump.keys.subarray((kvHead * want + sinkTokens) * dim, (kvHead * want + sinkTokens + count) * dim);
  const tests = testQueries(shape, dump, keysOf);
  const truth = tests.map((ofHead, head) => ofHead.map(({ queries }) => queries.map((query) => best(innerProducts(keysOf(Math.floor((head * kvHeads) / heads)), query), wanted))));
  const tallies = new Map<string, Tally>();
  const note = (key: string, { recall: share, scored, ms }: Omit<Tally, 'count'>): void => {
    const tally = tallies.get(key) ?? { recall: 0, scored: 0, ms: 0, count: 0 };
    tallies.set(key, { recall: tally.recall + share, scored: tally.scored + scored / count, ms: tally.ms + ms, count: tally.count + 1 });
  };

  const graph = new LayerGraph(pool, { heads, kvHeads, headDim: dim, capacityKeys: count, maxQueries: Math.ceil(want / strideTokens) });
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) graph.setKeys(kvHead, 0, keysOf(kvHead));
  for (let row = 0; row < want; row += strideTokens) graph.addQueries(dump.queries.subarray(row * heads * dim, (row + 1) * heads * dim));
  let startMs = performance.now();
  await graph.build();
  const graphBuildMs = (performance.now() - startMs) / heads;
  const graphBytes = (4 * (2 + graphDegrees.links + graphDegrees.bridges) * count + 4 * graphDegrees.listLength * graph.queries) / count;
  for (const share of scoredShares) {
    const options: GraphSearch = { wanted, width: 4 * wanted, maxScored: Math.floor(share * count) };
    for (const [group, { kind, queries }] of tests[0].entries()) {
      for (let i = 0; i < queries.length; i++) {
        const together = new Float32Array(heads * dim);
        for (let head = 0; head < heads; head++) together.set(tests[head][group].queries[i], head * dim);
        startMs = performance.now();
        const found = await graph.search(together, options);
        const ms = (performance.now() - startMs) / heads;
        found.forEach(({ keys, scored }, head) => note(`graph ${kind} ${share}`, { recall: recall(truth[head][group][i], keys), scored, ms }));
      }
    }
  }
  graph.free();

  let hnswBuildMs = 0;
  let hnswBytes = 0;
  let sketchBuildMs = 0;
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    const keys = keysOf(kvHead);
    const hnsw = buildHnsw(keys, dim);
    hnswBuildMs += hnsw.buildMs / kvHeads;
    hnswBytes += hnsw.bytes / count / kvHeads;
    startMs = performance.now();
    const segments = Array.from({ length: Math.ceil(count / segmentTokens) }, (_, i) => sketchSegment(keys.subarray(i * segmentTokens * dim, (i + 1) * segmentTokens * dim), dim, 4, 0));
    sketchBuildMs += (performance.now() - startMs) / kvHeads;
    for (let head = (kvHead * heads) / kvHeads; head < ((kvHead + 1) * heads) / kvHeads; head++) {
      for (const [group, { kind, queries }] of tests[head].entries()) {
        for (const [i, query] of queries.entries()) {
          for (const share of scoredShares) {
            startMs = performance.now();
            const { keys: found, scored } = searchHnsw(hnsw, keys, query, 4 * wanted, share * count);
            note(`hnsw ${kind} ${share}`, { recall: recall(truth[head][group][i], found.slice(0, wanted)), scored, ms: performance.now() - startMs });
          }
          const scores = innerProducts(keys, query);
          for (const [planes, oversample] of [[4, 1], [2, 4], [1, 8]]) {
            const estimates = Float64Array.from(segments.flatMap((segment) => [...estimateScores(query, segment, 4, planes)]));
            const candidates = best(estimates, oversample * wanted);
            const chosen = candidates.sort((a, b) => scores[b] - scores[a]).slice(0, wanted);
            note(`sketch of ${planes} planes ×${oversample} ${kind}`, { recall: recall(truth[head][group][i], chosen), scored: candidates.length, ms: 0 });
          }
        }
      }
    }
  }
  const costs: Record<string, object> = {
    graph: { buildMsPerHead: graphBuildMs, bytesPerKeyAndQueryHead: graphBytes, threads: 2 },
    hnsw: { buildMsPerHead: hnswBuildMs, bytesPerKeyAndKvHead: hnswBytes, threads: 1 },
    sketch: { referenceBuildMsPerHead: sketchBuildMs, bytesPerKeyAndKvHead: dim / 2 + 2 },
  };
  return [...tallies].map(([key, tally]) => ({
    method: key.replace(/ (prefill|decode|keys).*/, ''),
    queries: /(prefill|decode|keys)/.exec(key)?.[1],
    scoredAtMost: Number(/[\d.]+$/.exec(key.replace(/^sketch.*/, ''))?.[0] ?? 1),
    recall: tally.recall / tally.count,
    scoredShare: tally.scored / tally.count,
    msPerSearch: tally.ms / tally.count,
    searches: tally.count,
    ...costs[key.split(' ')[0]],
  }));
}

/** Queries of the last quarter that no graph was made from, decoded ones, and keys themselves, as if they asked. */
function testQueries({ heads, kvHeads, dim, want, decode }: DumpShape, { queries }: LayerDump, keysOf: (kvHead: number) => Float32Array): HeadQueries[][] {
  const row = (token: number, head: number): Float32Array => queries.subarray((token * heads + head) * dim, (token * heads + head + 1) * dim);
  const prefill = Array.from({ length: 48 }, (_, i) => Math.floor(want * 0.75 + (i * want) / 4 / 48)).map((token) => (token % strideTokens === 0 ? token + 1 : token));
  return Array.from({ length: heads }, (_, head) => {
    const keys = keysOf(Math.floor((head * kvHeads) / heads));
    return [
      { kind: 'prefill', queries: prefill.map((token) => row(token, head)) },
      { kind: 'decode', queries: Array.from({ length: decode }, (_unused, i) => row(want + i, head)) },
      { kind: 'keys', queries: Array.from({ length: 24 }, (_unused, i) => keys.subarray(i * 97 * dim, (i * 97 + 1) * dim)) },
    ];
  });
}

/** The places of the largest, best first. */
function best(scores: Float64Array, count: number): number[] {
  return [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b).slice(0, count);
}
