/**
 * A day of use in fast motion: chats, documents that are read into memories, searches, windows that come and go, and a
 * real worker that loads and unloads tiny models, in one host.
 *
 *     node bench/soak.ts [--chats 2000] [--documents 200] [--loads 50] [--parts 20] [--seconds N]
 *
 * Everything is done in equal parts, and deleted at the end of each; then what the host and the worker hold is noted:
 * memory once garbage is gone, handles, threads, child processes, timers, and the GPU's memory after each unloading.
 * Prints a line for each part and one of the sum: the median of the last quarter of the parts against that of the
 * second, because caches fill in the first.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tinyModel } from '../engine/testing/tinyModel.ts';
import type { ModelRecord } from '../host/contract/entities.ts';
import { openHost } from '../host/host.ts';
import { startHttpServer } from '../host/server/httpServer.ts';
import { servedHost } from '../host/testing/servedHost.ts';
import { median } from './median.ts';
import { Day } from './soak/day.ts';
import { holdingsOf, type OwnHoldings, ownHoldings, type ProcessHoldings } from './soak/holdings.ts';

const { values } = parseArgs({
  options: {
    chats: { type: 'string', default: '2000' },
    documents: { type: 'string', default: '200' },
    loads: { type: 'string', default: '50' },
    parts: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '7200' },
  },
});
const parts = Number(values.parts);
const share = (text: string): number => Math.ceil(Number(text) / parts);
const deadlineMs = performance.now() + Number(values.seconds) * 1000;
const root = mkdtempSync(join(tmpdir(), 'longleaf-soak-'));
const brought = join(root, 'brought');
mkdirSync(brought);

interface Reading {
  part: number;
  seconds: number;
  host: OwnHoldings;
  worker: ProcessHoldings;
}

// The host runs from its sources, the worker as it was built.
const host = await openHost({ dataFolder: join(root, 'data'), worker: { entry: fileURLToPath(new URL('../dist/gpu-worker.js', import.meta.url)) } });
const server = await startHttpServer(servedHost(host), { port: 0, rendererFolder: root });
const models: ModelRecord[] = [];
for (const architecture of ['llama', 'gemma3', 'qwen35'] as const) {
  const path = join(root, `${architecture}.gguf`);
  writeFileSync(path, tinyModel({ architecture, layers: 2 }));
  models.push(await host.models.importFile(path, `${architecture}.gguf`, 'copy'));
}
host.begin();
await host.handlers['settings.update']({ evidence: false });
const day = new Day(host, server, models, brought);
const part = { chats: share(values.chats), documents: share(values.documents), loads: share(values.loads) };
const readings: Reading[] = [];
const startMs = performance.now();
for (let number = 0; number < parts && performance.now() < deadlineMs; number += 1) {
  await day.use(part);
  const reading = { part: number, seconds: Math.round((performance.now() - startMs) / 1000), host: await ownHoldings(), worker: holdingsOf(host.supervisor.pid ?? 0) };
  readings.push(reading);
  console.log(JSON.stringify({ bench: 'soak', ...reading, ...day.done }));
}
console.log(JSON.stringify({ bench: 'soak', summary: true, parts: readings.length, chats: part.chats * readings.length, documents: part.documents * readings.length, loads: part.loads * readings.length, ...day.done, growth: growth(readings) }));
await server.close();
await host.close();
rmSync(root, { recursive: true, force: true });

/** Memory as a share of what it was, everything else in numbers. */
function growth(all: readonly Reading[]) {
  const quarter = Math.max(1, Math.floor(all.length / 4));
  const [before, after] = [all.slice(quarter, 2 * quarter), all.slice(-quarter)];
  const medians = (of: (reading: Reading) => number): [number, number] => [median(before.map(of)), median(after.map(of))];
  const relative = (of: (reading: Reading) => number): number => {
    const [first, last] = medians(of);
    return Number((last / first - 1).toFixed(4));
  };
  const absolute = (of: (reading: Reading) => number): number => {
    const [first, last] = medians(of);
    return last - first;
  };
  const handles = ({ handles: { files, sockets, pipes, others } }: ProcessHoldings): number => files + sockets + pipes + others;
  const resources = ({ host: { resources } }: Reading): number => Object.values(resources).reduce((sum, count) => sum + count, 0);
  return {
    host: { resident: relative((one) => one.host.residentMegabytes), heap: relative((one) => one.host.heapMegabytes), handles: absolute((one) => handles(one.host)), threads: absolute((one) => one.host.threads), children: absolute((one) => one.host.children), resources: absolute(resources) },
    worker: { resident: relative((one) => one.worker.residentMegabytes), handles: absolute((one) => handles(one.worker)), threads: absolute((one) => one.worker.threads), children: absolute((one) => one.worker.children) },
  };
}
