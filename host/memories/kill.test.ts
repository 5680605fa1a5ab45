import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { checkSegment, seededRandom } from '../testing/memoryParts.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { MemoryStore } from './memoryStore.ts';

const sealingProcess = fileURLToPath(new URL('../testing/sealingProcess.ts', import.meta.url));
const rounds = 30;

/** One file starts four times sooner than many. */
async function bundle(folder: string): Promise<string> {
  const outfile = join(folder, 'sealingProcess.mjs');
  await build({ entryPoints: [sealingProcess], bundle: true, platform: 'node', format: 'esm', outfile });
  return outfile;
}

/** Lets it work for a moment, kills it, and resolves to the lines it wrote. */
async function runAndKill(program: string, folder: string, seed: number, workMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, folder, String(seed)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let complaint = '';
  child.stderr.on('data', (piece: Buffer) => (complaint += piece.toString()));
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.stdout.on('data', (piece: Buffer) => {
      if (output === '') setTimeout(() => child.kill('SIGKILL'), workMs);
      output += piece.toString();
    });
  });
  expect(child.signalCode, complaint).toBe('SIGKILL');
  return output.split('\n').slice(1, -1);
}

test(`${rounds} processes killed while they seal and delete lose nothing that they said was kept`, async () => {
  const folder = join(temporaryFolder(), 'memories');
  const program = await bundle(temporaryFolder());
  const random = seededRandom(3);
  /** The leaf of each owner, or those it may be, by what was said before the kill. */
  const held = new Map<string, string>();
  let sealed = 0;
  for (let round = 0; round < rounds; round += 1) {
    const uncertain = new Set<string>();
    for (const line of await runAndKill(program, folder, round, random() * 120)) {
      const [said, owner, key] = line.split(' ');
      if (said === 'removing') uncertain.add(owner);
      else uncertain.delete(owner);
      if (said === 'removed') held.delete(owner);
      if (said === 'held') held.set(owner, key);
      sealed += said === 'held' ? 1 : 0;
    }
    const store = await MemoryStore.open({ folder, keptFreeBytes: 0 });
    try {
      const found = new Map((await store.list()).flatMap(({ leaf, owners }) => owners.map(({ owner }) => [owner, leaf] as const)));
      expect(store.problems()).toEqual([]);
      for (const [owner, leaf] of held) {
        // It may have gone on, to a segment that it had no time to tell of.
        const now = found.get(owner);
        if (uncertain.has(owner) && now === undefined) continue;
        expect(now, `${owner} in round ${round}`).toBeDefined();
        if (now !== leaf) expect(store.describe(now ?? '').parent).toBe(leaf);
      }
      const checked = new Set<string>();
      for (const leaf of found.values()) {
        for (let key: string | null = leaf; key !== null && !checked.has(key); key = store.describe(key).parent) {
          checked.add(key);
          await checkSegment(store, key);
        }
      }
      held.clear();
      for (const [owner, leaf] of found) held.set(owner, leaf);
    } finally {
      await store.close();
    }
  }
  expect(sealed).toBeGreaterThan(rounds);
}, 120_000);
