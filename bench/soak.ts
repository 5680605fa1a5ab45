/**
 * A day of use in fast motion: chats, documents, and a real worker that loads and unloads tiny models, in one host.
 *
 *     node dist/bench/soak.js [--chats 2000] [--documents 200] [--loads 50] [--seconds N]
 *
 * Everything is done in ten equal parts; after each, what the host and the worker take is noted: memory once garbage is
 * gone, handles (open files, sockets), and the GPU's memory after unloading. Prints a line for each part and one of the
 * sum: the last part against the second (the first fills caches). `--expose-gc` makes the host's figures exact.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { tinyModel } from '../engine/testing/tinyModel.ts';
import { defaultSampling, type ModelRecord } from '../host/contract/entities.ts';
import type { EventPayload } from '../host/contract/methods.ts';
import { openHost } from '../host/host.ts';

const { values } = parseArgs({
  options: {
    chats: { type: 'string', default: '2000' },
    documents: { type: 'string', default: '200' },
    loads: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '3600' },
  },
});
const parts = 10;
const [chats, documents, loads] = [values.chats, values.documents, values.loads].map((text) => Math.ceil(Number(text) / parts)) as [number, number, number];
const deadlineMs = performance.now() + Number(values.seconds) * 1000;
const root = mkdtempSync(join(tmpdir(), 'longleaf-soak-'));
const folder = join(root, 'data');
const gpuReport = z.object({ memory: z.object({ totalBytes: z.number(), weightsBytes: z.number(), kvBytes: z.number(), activationsBytes: z.number(), stagingBytes: z.number() }) });

interface Reading {
  part: number;
  hostMegabytes: number;
  workerMegabytes: number;
  hostHandles: number;
  workerHandles: number;
  gpuBytesAfterUnload: number;
}

// Beside the folder of this program, as the build lays them.
const host = await openHost({ dataFolder: folder, worker: { entry: fileURLToPath(new URL('../gpu-worker.js', import.meta.url)) } });
const models: ModelRecord[] = [];
for (const architecture of ['llama', 'gemma3'] as const) {
  const path = join(root, `${architecture}.gguf`);
  writeFileSync(path, tinyModel({ architecture, layers: 2 }));
  models.push(await host.models.importFile(path, `${architecture}.gguf`, 'copy'));
}
host.begin();
await host.handlers['settings.update']({ evidence: false });
const readings: Reading[] = [];
const ended = new Set<string>();
host.events.subscribe((name, payload) => {
  if (name !== 'message.changed') return;
  const message = payload as EventPayload<'message.changed'>;
  if (message.role === 'assistant' && message.state !== 'streaming') ended.add(message.id);
});
let loaded = 0;

for (let part = 0; part < parts && performance.now() < deadlineMs; part += 1) {
  await usePart(part);
  const reading = await readProcesses(part);
  readings.push(reading);
  console.log(JSON.stringify(reading));
}
const [, second] = readings;
const last = readings.at(-1);
if (second && last) {
  const growth = (key: 'hostMegabytes' | 'workerMegabytes') => Number((last[key] / second[key] - 1).toFixed(3));
  console.log(
    JSON.stringify({
      bench: 'soak', summary: true, parts: readings.length, chats: chats * readings.length, documents: documents * readings.length, loads: loads * readings.length,
      hostGrowth: growth('hostMegabytes'), workerGrowth: growth('workerMegabytes'),
      hostHandleGrowth: last.hostHandles - second.hostHandles, workerHandleGrowth: last.workerHandles - second.workerHandles,
      gpuBytesAfterUnload: Math.max(...readings.map(({ gpuBytesAfterUnload }) => gpuBytesAfterUnload)),
    }),
  );
}
await host.close();
rmSync(root, { recursive: true, force: true });

async function usePart(part: number): Promise<void> {
  const added: string[] = [];
  const made: string[] = [];
  for (let i = 0; i < documents; i += 1) {
    const { id } = await host.handlers['documents.addText']({ name: `note ${part}-${i}.txt`, text: `A note, number ${i} of part ${part}. `.repeat(40) });
    added.push(id);
  }
  const perLoad = Math.ceil(chats / loads);
  for (let load = 0; load < loads; load += 1) {
    // Another model than the one before: that one is unloaded.
    const model = models[loaded++ % models.length]!;
    for (let i = 0; i < perLoad; i += 1) made.push(await chat(model.id));
  }
  // What a person keeps does not count as a leak: what was made is deleted again.
  for (const conversationId of made) await host.handlers['conversations.remove']({ conversationId });
  for (const documentId of added) await host.handlers['documents.remove']({ documentId });
}

async function chat(modelId: string): Promise<string> {
  const { id: conversationId } = await host.handlers['conversations.create']({ modelId });
  await host.handlers['conversations.update']({ conversationId, sampling: { ...defaultSampling, maxTokens: 8 } });
  const { answer } = await host.handlers['chat.send']({ conversationId, text: 'A question?' });
  while (!ended.has(answer.id)) await pause(2);
  ended.delete(answer.id);
  return conversationId;
}

async function readProcesses(part: number): Promise<Reading> {
  await host.supervisor.run({ kind: 'unload' }, z.unknown());
  const { memory } = gpuReport.parse(await host.supervisor.run({ kind: 'doctor' }, z.unknown()));
  (globalThis as { gc?: () => void }).gc?.();
  await pause(500);
  const worker = host.supervisor.pid ?? 0;
  return {
    part,
    hostMegabytes: memoryOf(process.pid),
    workerMegabytes: memoryOf(worker),
    hostHandles: readdirSync(`/proc/${process.pid}/fd`).length,
    workerHandles: readdirSync(`/proc/${worker}/fd`).length,
    gpuBytesAfterUnload: memory.totalBytes,
  };
}

/** Resident, in 10^6 bytes. */
function memoryOf(processId: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1] ?? 0) / 1000;
}
