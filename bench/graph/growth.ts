/**
 * Growth: one layer of synthetic keys with planted answers, whose questions come from the same distribution as the
 * queries that made the graph, far from the keys, but are none of them. All lengths are searched in turn, so that what
 * else the machine does at the time falls on each of them.
 */
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import { innerProducts, recall } from '../../engine/reference/retrieval/graph.ts';
import { graphEffort } from '../../engine/retrieval/graph/graphIndex.ts';
import { LayerGraph } from '../../engine/retrieval/graph/layerGraph.ts';
import { attentionLikeData } from '../../engine/retrieval/graph/testing.ts';
import { WorkerThreads } from '../../host/gpu-worker/workerThreads.ts';

interface Shape {
  heads: number;
  kvHeads: number;
  dims: number;
}

interface Grown {
  keys: number;
  graph: LayerGraph;
  /** Questions of all heads together, [heads][dims] each, and where their answers are: [head] each. */
  questions: Float32Array[];
  plantedAt: number[][];
  buildMs: number;
  searchMs: number[];
}

const plantedPerHead = 64;
const maxQueries = 4096;
const wanted = 100;
/** By how much a planted key's score is above the best of the others, as a share of it: of keys, of planted keys. */
const margin = 0.05;
const marginOfPlanted = 0.001;
const maxRounds = 1000;
const rounds = 5;
const threads = 2;
/** Questions whose wanted keys are all looked up by a scan, too: one in so many. */
const checkedQuestions = 8;

export async function measureGrowth({ counts, ...shape }: Shape & { counts: number[] }): Promise<void> {
  const pool = new WorkerThreads(threads);
  const all: Grown[] = [];
  for (const keys of counts) {
    const grown = await grow(pool, shape, keys);
    console.error(`${keys} keys: built in ${(grown.buildMs / 1000).toFixed(1)} s`);
    all.push(grown);
  }
  for (let round = 0; round < rounds; round++) {
    for (let question = 0; question < plantedPerHead; question++) {
      for (const grown of all) {
        const startMs = performance.now();
        await grown.graph.search(grown.questions[question], graphEffort(grown.keys, wanted));
        grown.searchMs.push(performance.now() - startMs);
      }
    }
  }
  for (const grown of all) console.log(JSON.stringify({ ...(await found(grown)), ...shape, threads, ...timesOf(grown) }));
  const [first, last] = [timesOf(all[0]), timesOf(all[all.length - 1])];
  console.log(JSON.stringify({ from: counts[0], to: counts[counts.length - 1], growthOfMedian: last.searchMsMedian / first.searchMsMedian, growthOfLeast: last.searchMsLeast / first.searchMsLeast }));
  await pool.close();
}

async function grow(pool: WorkerThreads, { heads, kvHeads, dims }: Shape, count: number): Promise<Grown> {
  const graph = new LayerGraph(pool, { heads, kvHeads, headDim: dims, capacityKeys: count, maxQueries });
  const group = heads / kvHeads;
  const sampled = Math.min(maxQueries, count / 8);
  const random = seededRandom(9);
  const questions = Array.from({ length: plantedPerHead }, () => new Float32Array(heads * dims));
  const plantedAt = questions.map(() => Array.from({ length: heads }, () => 0));
  const rows = new Float32Array(sampled * heads * dims);
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    const { keys } = attentionLikeData({ keys: count, queries: 0, dims, clusters: 400, seed: 100 + kvHead });
    const asked: Float32Array[] = [];
    for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
      const { queries } = attentionLikeData({ keys: 0, queries: sampled + plantedPerHead, dims, clusters: 400, seed: 1000 + head });
      for (let row = 0; row < sampled; row++) rows.set(queries.subarray(row * dims, (row + 1) * dims), (row * heads + head) * dims);
      for (const [index, together] of questions.entries()) {
        const question = queries.subarray((sampled + index) * dims, (sampled + index + 1) * dims);
        together.set(question, head * dims);
        asked.push(question);
      }
    }
    for (const [i, place] of plant(keys, asked, random).entries()) plantedAt[i % plantedPerHead][kvHead * group + Math.floor(i / plantedPerHead)] = place;
    graph.setKeys(kvHead, 0, keys);
  }
  graph.addQueries(rows);
  const startMs = performance.now();
  await graph.build();
  return { keys: count, graph, questions, plantedAt, buildMs: performance.now() - startMs, searchMs: [] };
}

/** What the searches found of the planted keys, and of all that were wanted. */
async function found({ keys: count, graph, questions, plantedAt, buildMs }: Grown): Promise<object> {
  let plantedFound = 0;
  let scoredKeys = 0;
  let share = 0;
  let searches = 0;
  let checked = 0;
  for (const [index, question] of questions.entries()) {
    const results = await graph.search(question, graphEffort(count, wanted));
    const truth = index % checkedQuestions === 0 ? await graph.search(question, { wanted, width: wanted, maxScored: Infinity }) : null;
    for (const [head, { keys, scored }] of results.entries()) {
      if (keys.includes(plantedAt[index][head])) plantedFound++;
      scoredKeys += scored;
      searches++;
      if (!truth) continue;
      share += recall([...truth[head].keys], keys);
      checked++;
    }
  }
  return { keys: count, wanted, planted: searches, found: plantedFound, recall: share / checked, scoredKeys: scoredKeys / searches, scoredShare: scoredKeys / searches / count, buildMs, usedBytes: graph.usedBytes };
}

function timesOf({ searchMs }: Grown): { searchMsMedian: number; searchMsLeast: number } {
  const sorted = searchMs.toSorted((a, b) => a - b);
  return { searchMsMedian: sorted[Math.floor(sorted.length / 2)], searchMsLeast: sorted[0] };
}

/**
 * Turns as many keys as there are questions towards these, until each is the best of all keys for its question, and
 * returns where they are. Questions are alike, so what is planted for one is high for others, and must be passed again.
 */
function plant(keys: Float32Array, questions: readonly Float32Array[], random: () => number): number[] {
  const dims = questions[0].length;
  const places = new Set<number>();
  while (places.size < questions.length) places.add(Math.floor((random() * keys.length) / dims));
  const planted = [...places].map((place) => keys.subarray(place * dims, (place + 1) * dims));
  const best = questions.map((question) => innerProducts(keys, question).reduce((top, score, key) => (places.has(key) ? top : Math.max(top, score)), -Infinity));
  const dot = (a: Float32Array, b: Float32Array): number => innerProducts(a, b)[0];
  for (let round = 0, turned = true; turned; round++) {
    if (round === maxRounds) throw new Error('questions are too much alike to have an answer each');
    turned = false;
    for (const [index, question] of questions.entries()) {
      const others = planted.reduce((top, key, other) => (other === index ? top : Math.max(top, dot(key, question))), -Infinity);
      const least = Math.max(best[index] + margin * Math.abs(best[index]), others + marginOfPlanted * Math.abs(others));
      const missing = least - dot(planted[index], question);
      if (missing <= 0) continue;
      turned = true;
      // A little more than is missing, so that rounds come to an end.
      const step = (missing + 1e-4 * Math.abs(least)) / dot(question, question);
      for (let i = 0; i < dims; i++) planted[index][i] += step * question[i];
    }
  }
  return [...places];
}
