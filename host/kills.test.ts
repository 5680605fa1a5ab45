/**
 * Hosts and workers that are killed at random moments while they answer, read and take documents in. Whatever was
 * acknowledged is there afterwards, and nothing is damaged. LONGLEAF_KILLS=1000 is for long runs.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import type { ContractClient } from './contract/client.ts';
import { childrenOf } from './testing/childrenOf.ts';
import { eventually } from './testing/eventually.ts';
import { seededRandom } from './testing/memoryParts.ts';
import { openTestHost, writeTinyModel } from './testing/openTestHost.ts';
import { startShellProcess } from './testing/shellProcess.ts';
import { temporaryFolder } from './testing/temporaryFolder.ts';

const kills = Number(process.env['LONGLEAF_KILLS'] ?? 12);
const seed = Number(process.env['LONGLEAF_KILL_SEED'] ?? 1);
/** The work of one life goes on for up to this long before it is killed. */
const longestLifeMs = 400;
const words = Array.from({ length: 300 }, (_, index) => `word${index}`).join(' ');

/** Beside each other, as the build lays them. */
async function bundleHost(): Promise<string> {
  const root = temporaryFolder();
  const outdir = join(root, 'dist');
  const entryPoint = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  await build({
    entryPoints: { host: entryPoint('./main.ts'), 'document-parser': entryPoint('./documents/parser/main.ts') },
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['webgpu', 'usearch', 'node-llama-cpp', '*.node'],
    loader: { '.wgsl': 'text', '.wasm': 'binary' },
    logLevel: 'error',
    banner: { js: "import { createRequire as requireFor } from 'node:module';\nconst require = requireFor(import.meta.url);" },
  });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ version: '0.0.0', type: 'module' }));
  return join(outdir, 'host.js');
}

/** What the host has said is kept. */
interface Acknowledged {
  /** Questions by their id. */
  questions: Map<string, { conversationId: string; text: string }>;
  documents: Map<string, string>;
}

/** Uses Longleaf until the connection ends; a call that is under way then was never acknowledged. */
async function use(client: ContractClient, modelId: string, round: number, acknowledged: Acknowledged): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    const name = `note-${round}-${turn}.txt`;
    const document = await client.call('documents.addText', { name, text: `${words} ${name}` });
    acknowledged.documents.set(document.id, name);
    await client.call('readings.start', { documentId: document.id, modelId });
    const { id: conversationId } = await client.call('conversations.create', { modelId });
    const text = `count ${50 + turn}`;
    const { question } = await client.call('chat.send', { conversationId, text });
    acknowledged.questions.set(question.id, { conversationId, text });
    if (turn % 3 === 2) await client.call('conversations.update', { conversationId, title: `Round ${round}` });
  }
}

test(`${kills} kills while answering and reading lose nothing that was acknowledged, and damage nothing`, { timeout: 60_000 + kills * 8000 }, async () => {
  const dataFolder = join(temporaryFolder(), 'data');
  const program = await bundleHost();
  const first = await openTestHost({ dataFolder });
  const model = await first.models.importFile(await writeTinyModel(temporaryFolder()), 'tiny.gguf', 'keep');
  await first.close();
  const random = seededRandom(seed);
  const acknowledged: Acknowledged = { questions: new Map(), documents: new Map() };
  const startsMs: number[] = [];

  for (let round = 0; round < kills; round += 1) {
    const shell = await startShellProcess(program, dataFolder, { SCRIPTED_CHUNK_MS: '5', SCRIPTED_TOKEN_MS: '2' });
    startsMs.push(shell.startMs);
    const documentsBefore = acknowledged.documents.size;
    const using = use(shell.openWindow(1), model.id, round, acknowledged).catch(() => undefined);
    // Every fourth dies in its first moments; the others when they have said that something is kept.
    if (round % 4 !== 3) await eventually(() => acknowledged.documents.size > documentsBefore, 20_000);
    await pause(random() * longestLifeMs);
    const workers = childrenOf(shell.child.pid ?? 0);
    // Now and then only the worker: the host goes on, and is killed a moment later.
    if (round % 3 === 0 && workers.length > 0) {
      process.kill(workers[0], 'SIGKILL');
      await pause(random() * 100);
    }
    await shell.kill();
    await using;
    await expect.poll(() => workers.filter(isAlive), { timeout: 10_000, message: 'nothing outlives its host' }).toEqual([]);
  }

  // Opening checks the whole database.
  const host = await openTestHost({ dataFolder });
  expect(acknowledged.questions.size).toBeGreaterThan(kills / 4);
  for (const [id, { conversationId, text }] of acknowledged.questions) {
    expect(host.chat.messages(conversationId)).toContainEqual(expect.objectContaining({ id, text, role: 'user' }));
  }
  const known = new Map(host.documents.list().map(({ id, name }) => [id, name]));
  for (const [id, name] of acknowledged.documents) {
    expect(known.get(id)).toBe(name);
    const { text, characters } = await host.documents.text(id, 0, 100_000);
    expect(text.slice(0, characters)).toBe(`${words} ${name}`);
  }
  // No answer is said to be under way that nobody is writing any more.
  for (const { conversationId } of acknowledged.questions.values()) {
    for (const message of host.chat.messages(conversationId)) expect(message.state).not.toBe('streaming');
  }
  for (const memory of await host.memories.list()) expect(memory.state).not.toBe('damaged');
  expect(readdirSync(host.folder.staging)).toEqual([]);
  await host.close();

  const sorted = startsMs.sort((a, b) => a - b);
  const line = `kills ${kills}, questions ${acknowledged.questions.size}, documents ${acknowledged.documents.size}, ready in ${Math.round(sorted[Math.floor(sorted.length / 2)])} ms (median), ${Math.round(sorted.at(-1) ?? 0)} ms (longest)`;
  if (process.env['LONGLEAF_KILLS']) console.log(line);
});

function isAlive(processId: number): boolean {
  if (!existsSync(`/proc/${processId}`)) return false;
  return !/\) Z /.test(readFileSync(`/proc/${processId}/stat`, 'utf8'));
}
