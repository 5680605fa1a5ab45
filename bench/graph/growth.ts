/**
 * Growth: one layer of synthetic keys with planted answers, whose questions come from the same distribution as the
 * queries that made the graph, far from the keys, but are none of them.
 */
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import { innerProducts, recall, scanKeys } from '../../engine/reference/retrieval/graph.ts';
import { graphEffort } from '../../engine/retrieval/graph/graphIndex.ts';
import { LayerGraph } from '../../engine/retrieval/graph/layerGraph.ts';
import { attentionLikeData } from '../../engine/retrieval/graph/testing.ts';
import { WorkerThreads } from '../../host/gpu-worker/workerThreads.ts';

const plantedPerHead = 64;
const maxQueries = 4096;
const wanted = 100;
/** By how much a planted key's score is above the best of the others. */
const margin = 1.05;
const rounds = 3;

export async function measureGrowth({ keys: count, heads, kvHeads, dims }: { keys: number; heads: number; kvHeads: number; dims: number }): Promise<void> {
  const pool = new WorkerThreads(2, new URL('../worker-thread.js', import.meta.url));
  const graph = new LayerGraph(pool, { heads, kvHeads, headDim: dims, capacityKeys: count, maxQueries });
  const group = heads / kvHeads;
  const sampled = Math.min(maxQueries, count / 8);
  const random = seededRandom(9);
  const questions: Float32Array[][] = [];
  const plantedAt: number[][] = [];
  const rows = new Float32Array(sampled * heads * dims);
  const keysOf: Float32Array[] = [];
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    const { keys } = attentionLikeData({ keys: count, queries: 0, dims, clusters: 400, seed: 100 + kvHead });
    keysOf.push(keys);
    for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
      const { queries } = attentionLikeData({ keys: 0, queries: sampled + plantedPerHead, dims, clusters: 400, seed: 1000 + head });
      for (let row = 0; row < sampled; row++) rows.set(queries.subarray(row * dims, (row + 1) * dims), (row * heads + head) * dims);
      questions.push(Array.from({ length: plantedPerHead }, (_, i) => queries.subarray((sampled + i) * dims, (sampled + i + 1) * dims)));
      plantedAt.push([]);
    }
    for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
      for (const question of questions[head]) plantedAt[head].push(plant(keys, question, Math.floor(random() * count)));
    }
    graph.setKeys(kvHead, 0, keys);
  }
  graph.addQueries(rows);
  let startMs = performance.now();
  await graph.build();
  const buildMs = performance.now() - startMs;

  let found = 0;
  let scored = 0;
  let share = 0;
  let checked = 0;
  const effort = graphEffort(count, wanted);
  const searchMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < plantedPerHead; i++) {
      const together = new Float32Array(heads * dims);
      for (let head = 0; head < heads; head++) together.set(questions[head][i], head * dims);
      startMs = performance.now();
      const results = await graph.search(together, effort);
      searchMs.push(performance.now() - startMs);
      if (round > 0) continue;
      for (const [head, { keys, scored: scoredKeys }] of results.entries()) {
        if (keys.includes(plantedAt[head][i])) found++;
        scored += scoredKeys;
        if (i % 8 > 0) continue;
        share += recall(scanKeys(keysOf[Math.floor(head / group)], questions[head][i], wanted), keys);
        checked++;
      }
    }
  }
  searchMs.sort((a, b) => a - b);
  const searches = heads * plantedPerHead;
  console.log(
    JSON.stringify({
      growth: count,
      heads,
      kvHeads,
      dims,
      wanted,
      planted: searches,
      found,
      recall: share / checked,
      scoredKeys: scored / searches,
      scoredShare: scored / searches / count,
      searchMsMedian: searchMs[Math.floor(searchMs.length / 2)],
      searchMsLeast: searchMs[0],
      buildMs,
      threads: pool.threads,
      usedBytes: graph.usedBytes,
    }),
  );
  await pool.close();
}

/** Turns the key at `place` towards the question until its score is above all others; returns its place. */
function plant(keys: Float32Array, question: Float32Array, place: number): number {
  const dims = question.length;
  const scores = innerProducts(keys, question);
  let top = -Infinity;
  for (const [key, score] of scores.entries()) if (key !== place && score > top) top = score;
  let length = 0;
  for (const x of question) length += x * x;
  const missing = top + (margin - 1) * Math.abs(top) - scores[place];
  for (let i = 0; i < dims; i++) keys[place * dims + i] += (missing * question[i]) / length;
  return place;
}
