/**
 * How long the processor takes to gather single far tokens out of gigabytes of RAM into what is uploaded: on one thread,
 * and with others beside it, in turns.
 *
 *     node dist/bench/farGather.js [--threads 12] [--megabytes 2048] [--head-dims 128,64] [--tokens 64,128,256,512,1024,4096,40000] [--rounds 40]
 *       [--disk FOLDER] [--out FILE.jsonl]
 *
 * A token is a key and a value of one head in f16. Up to a load (4096) they come from one layer, as a step that waits
 * asks for them; more of them from all layers, as misses of whole steps do. --disk: out of files there instead of RAM,
 * in blocks of 4 KiB by one thread and as they are by others. JSON lines, medians.
 */
import { appendFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { seededRandom } from '../engine/formats/quantisation/testing/seededRandom.ts';
import { FarStore } from '../engine/kv/tiers/farStore.ts';
import { Gathering, type GatheringShape, waitingOf } from '../engine/kv/tiers/gathering.ts';
import { LayerRequests } from '../engine/kv/tiers/requestReader.ts';
import { CopyThreads, threadsFor } from '../host/gpu-worker/copyThreads.ts';
import { SpillFolder } from '../host/gpu-worker/spillFolder.ts';
import { median } from './median.ts';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: String(threadsFor(availableParallelism())) },
    megabytes: { type: 'string', default: '2048' },
    'head-dims': { type: 'string', default: '128,64' },
    tokens: { type: 'string', default: '64,128,256,512,1024,4096,40000' },
    rounds: { type: 'string', default: '40' },
    disk: { type: 'string' },
    out: { type: 'string' },
  },
});

/** Those of an 8B model. */
const [layers, kvHeads, segmentTokens] = [32, 8, 512];
const maxArrivals = 4096;
const threads = Number(values.threads);
const rounds = Number(values.rounds);
const copies = new CopyThreads({ threads, fewestRuns: 0 });
const random = seededRandom(1);

/** Out of files one thread takes a second for each. */
const warmUpRounds = values.disk === undefined ? 200 : 10;
const disk = values.disk === undefined ? null : new SpillFolder(values.disk);
process.on('exit', () => disk?.removeAll());

/** `count` tokens of all heads of some layers. */
function ask(count: number, storedTokens: number): { layer: number; requests: LayerRequests }[] {
  const asked = count > maxArrivals ? layers : 1;
  const perHead = Math.ceil(count / asked / kvHeads);
  return Array.from({ length: asked }, (_, index) => {
    const words = new Uint32Array(kvHeads * (4 + 2 * perHead));
    for (let head = 0; head < kvHeads; head++) words[4 * head + 1] = perHead;
    for (let i = 0; i < kvHeads * perHead; i++) words[4 * kvHeads + 2 * i] = Math.floor(random() * storedTokens);
    return { layer: asked === 1 ? Math.floor(random() * layers) : index, requests: new LayerRequests(kvHeads, words) };
  });
}

/** As `Arrivals` does it, but for the GPU. */
async function gather(store: FarStore, gatherings: readonly Gathering[], asked: ReturnType<typeof ask>, load: Uint32Array, withThreads: boolean): Promise<number> {
  const waiting = waitingOf(asked);
  const idle = [...gatherings];
  const begun: Gathering[] = [];
  const startMs = performance.now();
  while (waiting.length > 0 || begun.length > 0) {
    if (!withThreads) {
      await gatherings[0].gather(store, waiting, (layer) => layer, load);
      continue;
    }
    while (waiting.length > 0 && idle.length > 0) {
      const [next] = idle.splice(0, 1);
      next.begin(store, waiting, (layer) => layer);
      begun.push(next);
    }
    await begun[0].finish(load);
    idle.push(...begun.splice(0, 1));
  }
  return performance.now() - startMs;
}

for (const headDim of values['head-dims'].split(',').map(Number)) {
  const store = new FarStore({ layers, kvHeads, headDim, segmentTokens, format: 'f16' }, { ramBudgetBytes: disk ? 0 : Infinity, disk, copies });
  const segment = new Uint32Array(layers * store.segmentWords).fill(0x12345678);
  const segments = Math.ceil((1e6 * Number(values.megabytes)) / segment.byteLength);
  for (let i = 0; i < segments; i++) await store.appendAll(segment);
  await store.settled();
  const shape: GatheringShape = { maxArrivals, words: store.words, slots: 4096 };
  const gatherings = [new Gathering(shape, copies), new Gathering(shape, copies)];
  const load = new Uint32Array(Gathering.words(shape));
  // Each thread compiles what it runs often.
  for (let round = 0; round < warmUpRounds; round++) await gather(store, gatherings, ask(maxArrivals, segments * segmentTokens), load, round % 8 > 0);
  for (const count of values.tokens.split(',').map(Number)) {
    const times = { alone: [] as number[], threads: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      for (const way of ['alone', 'threads'] as const) {
        const ms = await gather(store, gatherings, ask(count, segments * segmentTokens), load, way === 'threads');
        times[way].push(ms);
        // Threads fall asleep between steps.
        await new Promise((resolve) => void setTimeout(resolve, 2));
      }
    }
    const [aloneMs, threadsMs] = [median(times.alone), median(times.threads)];
    const line = JSON.stringify({ bench: 'far gather', tokenBytes: 8 * store.words, tokens: count, threads, ramBytes: store.bytes.ramBytes, diskBytes: store.bytes.diskBytes, aloneMs, threadsMs, aloneNsPerToken: (1e6 * aloneMs) / count, threadsNsPerToken: (1e6 * threadsMs) / count, faster: aloneMs / threadsMs });
    console.log(line);
    if (values.out) appendFileSync(values.out, `${line}\n`);
  }
  for (const gathering of gatherings) gathering.free();
  store.free();
}
await copies.close();
