import { afterAll, describe, expect, test } from 'vitest';
import { WorkerThreads } from '../../../host/gpu-worker/workerThreads.ts';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { innerProducts, recall, scanKeys, walkGraph } from '../../reference/retrieval/graph.ts';
import { type GraphShape, LayerGraph } from './layerGraph.ts';
import { attentionLikeData } from './testing.ts';

const pool = new WorkerThreads(2);
afterAll(() => pool.close());

const everything = { width: 1, maxScored: Infinity };

/** One head's keys and queries in a graph of its own. */
async function oneHead(keys: Float32Array, dims: number, queries: Float32Array, shape: Partial<GraphShape> = {}): Promise<LayerGraph> {
  const graph = new LayerGraph(pool, { heads: 1, kvHeads: 1, headDim: dims, capacityKeys: Math.max(8, keys.length / dims), maxQueries: 512, ...shape });
  graph.setKeys(0, 0, keys);
  graph.addQueries(queries);
  await graph.build();
  return graph;
}

/** Small whole numbers: every inner product is exact, and many are equal. */
function wholeNumbers(count: number, random: () => number): Float32Array {
  return Float32Array.from({ length: count }, () => Math.floor(7 * random()) - 3);
}

describe('searches', () => {
  test('a scan finds what the reference finds, for any shape', async () => {
    const random = seededRandom(3);
    for (let run = 0; run < 12; run++) {
      const kvHeads = 1 + Math.floor(3 * random());
      const shape = { kvHeads, heads: kvHeads * (1 + Math.floor(3 * random())), headDim: 4 * (1 + Math.floor(40 * random())), capacityKeys: 300, maxQueries: 1 };
      const count = 1 + Math.floor(300 * random());
      const wanted = 1 + Math.floor(1.2 * count * random());
      const graph = new LayerGraph(pool, shape);
      const keys = Array.from({ length: kvHeads }, () => wholeNumbers(count * shape.headDim, random));
      keys.forEach((vectors, kvHead) => graph.setKeys(kvHead, 0, vectors));
      const queries = wholeNumbers(shape.heads * shape.headDim, random);
      const found = await graph.search(queries, { ...everything, wanted });
      for (let head = 0; head < shape.heads; head++) {
        const query = queries.subarray(head * shape.headDim, (head + 1) * shape.headDim);
        const ofHead = keys[Math.floor((head * kvHeads) / shape.heads)];
        const truth = scanKeys(ofHead, query, wanted);
        expect([...found[head].keys]).toEqual(truth);
        const scores = innerProducts(ofHead, query);
        expect([...found[head].scores]).toEqual(truth.map((key) => scores[key]));
        expect(found[head].scored).toBe(count);
      }
      graph.free();
    }
  });

  test('a walk visits what the reference visits, for any graph', async () => {
    const random = seededRandom(4);
    for (let run = 0; run < 8; run++) {
      const dims = 4 * (1 + Math.floor(20 * random()));
      const count = 700 + Math.floor(600 * random());
      const keys = wholeNumbers(count * dims, random);
      const graph = await oneHead(keys, dims, wholeNumbers(40 * dims, random));
      const lists = graph.graphOf(0);
      for (const options of [{ wanted: 10, width: 16, maxScored: 200 }, { wanted: 30, width: 64, maxScored: 90 }, { wanted: 5, width: 5, maxScored: Math.floor(count / 3.1) }]) {
        const query = wholeNumbers(dims, random);
        const [found] = await graph.search(query, options);
        const truth = walkGraph(lists, innerProducts(keys, query), options);
        expect([...found.keys]).toEqual(truth.keys.slice(0, options.wanted));
        expect(found.scored).toBe(truth.scored);
      }
      graph.free();
    }
  });
});

describe('graphs', () => {
  const dims = 32;
  const data = attentionLikeData({ keys: 5000, queries: 560, dims, clusters: 60, seed: 5 });
  const training = data.queries.subarray(0, 500 * dims);
  const tests = Array.from({ length: 60 }, (_, i) => data.queries.subarray((500 + i) * dims, (501 + i) * dims));

  async function recallOf(graph: LayerGraph, wanted: number, maxScored: number): Promise<{ recall: number; scored: number }> {
    let sum = 0;
    let scored = 0;
    for (const query of tests) {
      const [found] = await graph.search(query, { wanted, width: 200, maxScored });
      sum += recall(scanKeys(data.keys, query, wanted), found.keys);
      scored += found.scored;
    }
    return { recall: sum / tests.length, scored: scored / tests.length };
  }

  test('queries from another distribution find their keys in a tenth of them, and better than without the prompt’s queries', async () => {
    const graph = await oneHead(data.keys, dims, training);
    const blind = await oneHead(data.keys, dims, new Float32Array());
    const [aware, without] = [await recallOf(graph, 50, 500), await recallOf(blind, 50, 500)];
    expect(aware.recall).toBeGreaterThan(0.95);
    expect(aware.scored).toBeLessThan(550);
    expect(aware.recall).toBeGreaterThan(without.recall + 0.05);
    graph.free();
    blind.free();
  });

  test('links lead to every key that a sampled query wanted', async () => {
    const graph = await oneHead(data.keys, dims, training);
    const { neighbours } = graph.graphOf(0);
    const ways = new Set(neighbours.flatMap(({ links }) => links));
    const wanted = neighbours.flatMap(({ links }, key) => (links.length > 0 ? [key] : []));
    expect(wanted.length).toBeGreaterThan(500);
    expect(wanted.filter((key) => !ways.has(key))).toEqual([]);
    graph.free();
  });

  test('the number of threads changes nothing', async () => {
    const others = new WorkerThreads(5);
    const shape = { heads: 4, kvHeads: 2, headDim: dims, capacityKeys: 1200, maxQueries: 200 };
    const make = async (threads: WorkerThreads): Promise<LayerGraph> => {
      const graph = new LayerGraph(threads, shape);
      for (const kvHead of [0, 1]) graph.setKeys(kvHead, 0, data.keys.subarray(kvHead * 1200 * dims, (kvHead + 1) * 1200 * dims));
      graph.addQueries(data.queries.subarray(0, 100 * 4 * dims));
      await graph.build();
      return graph;
    };
    const [one, other] = [await make(pool), await make(others)];
    for (let head = 0; head < 4; head++) expect(other.graphOf(head)).toEqual(one.graphOf(head));
    const options = { wanted: 20, width: 40, maxScored: 300 };
    const queries = data.queries.subarray(0, 4 * dims);
    expect(await other.search(queries, options)).toEqual(await one.search(queries, options));
    await others.close();
  });

  test('keys that came later are found at once, before and after they enter the graph', async () => {
    const graph = new LayerGraph(pool, { heads: 1, kvHeads: 1, headDim: dims, capacityKeys: 4000, maxQueries: 512 });
    graph.setKeys(0, 0, data.keys.subarray(0, 3000 * dims));
    graph.addQueries(training.subarray(0, 250 * dims));
    await graph.build();
    const [query] = tests;
    const planted = query.map((x) => 3 * x);
    graph.setKeys(0, 3000, data.keys.subarray(3000 * dims, 3999 * dims));
    graph.setKeys(0, 3999, planted);
    const options = { wanted: 10, width: 40, maxScored: 300 };
    expect((await graph.search(query, options))[0].keys[0]).toBe(3999);
    expect((await graph.search(query, options))[0].scored).toBeGreaterThan(1000);
    graph.addQueries(training.subarray(250 * dims));
    await graph.build();
    const [found] = await graph.search(query, options);
    expect(found.keys[0]).toBe(3999);
    expect(found.scored).toBeLessThan(400);
    graph.free();
  });

  test('a cut graph knows nothing of what it forgot, and takes other keys in its place', async () => {
    const graph = await oneHead(data.keys.subarray(0, 3000 * dims), dims, training);
    await graph.cut(2000);
    const { entries, neighbours } = graph.graphOf(0);
    expect(neighbours).toHaveLength(2000);
    for (const token of [...entries, ...neighbours.flatMap(({ links, bridges }) => [...links, ...bridges])]) expect(token).toBeLessThan(2000);
    graph.setKeys(0, 2000, data.keys.subarray(4000 * dims, 5000 * dims));
    await graph.build();
    const together = new Float32Array(3000 * dims);
    together.set(data.keys.subarray(0, 2000 * dims));
    together.set(data.keys.subarray(4000 * dims, 5000 * dims), 2000 * dims);
    let sum = 0;
    for (const query of tests) sum += recall(scanKeys(together, query, 50), (await graph.search(query, { wanted: 50, width: 200, maxScored: 600 }))[0].keys);
    expect(sum / tests.length).toBeGreaterThan(0.9);
    graph.free();
  });

  test.each([1, 2, 11])('%i keys are all found', async (count) => {
    const graph = await oneHead(data.keys.subarray(0, count * dims), dims, training.subarray(0, 4 * dims));
    const [found] = await graph.search(tests[0], { wanted: 10, width: 10, maxScored: 1 });
    expect([...found.keys]).toEqual(scanKeys(data.keys.subarray(0, count * dims), tests[0], 10));
    graph.free();
  });

  test('identical keys are found as often as they are wanted', async () => {
    const keys = Float32Array.from({ length: 2000 * dims }, (_, i) => data.keys[i % dims]);
    const graph = await oneHead(keys, dims, training.subarray(0, 100 * dims));
    const [found] = await graph.search(tests[0], { wanted: 50, width: 100, maxScored: 500 });
    expect(new Set(found.keys).size).toBe(50);
    graph.free();
  });

  test('huge keys do no harm to others', async () => {
    const keys = data.keys.slice(0, 2000 * dims);
    for (const huge of [7, 700, 1700]) for (let i = 0; i < dims; i++) keys[huge * dims + i] *= 1e25;
    const graph = await oneHead(keys, dims, training);
    let sum = 0;
    for (const query of tests) {
      const [found] = await graph.search(query, { wanted: 20, width: 100, maxScored: 500 });
      for (const score of found.scores) expect(score).not.toBeNaN();
      sum += recall(scanKeys(keys, query, 20), found.keys);
    }
    expect(sum / tests.length).toBeGreaterThan(0.9);
    graph.free();
  });
});

test('a trap in a thread is an error of the call, and the next call works', async () => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const trapping = pool.open(await trappingProgram(), memory);
  await expect(trapping.call('find', [[0, 1 << 30, 1 << 30, 0, 1, 1, 1, 0, 1, 0]])).rejects.toMatchObject({ code: 'internal' });
  const graph = await oneHead(new Float32Array(8), 4, new Float32Array());
  expect((await graph.search(new Float32Array(4), { ...everything, wanted: 1 }))[0].keys).toHaveLength(1);
});

/** The program of the graphs, whose records then lie outside the memory. */
async function trappingProgram(): Promise<WebAssembly.Module> {
  const { default: bytes } = await import('../../../wasm/graph.wasm');
  return new WebAssembly.Module(bytes);
}
