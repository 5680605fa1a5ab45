/**
 * A process that seals, holds and deletes memories until it is killed, and writes a line when something
 * is durable. `node sealingProcess.ts FOLDER SEED`; lines: `held OWNER KEY`, `removing OWNER`, `removed OWNER`.
 */
import { writeSync } from 'node:fs';
import { MemoryStore } from '../memories/memoryStore.ts';
import { fingerprint, partsFor, seededRandom } from './memoryParts.ts';

const [folder, seed] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const store = await MemoryStore.open({ folder, keptFreeBytes: 0 });
// Written at once: a line in a buffer would be lost with the process.
const say = (line: string) => writeSync(1, `${line}\n`);
say('ready');

const leaves = new Map<string, string>();
for (const { leaf, owners } of await store.list()) for (const { owner } of owners) leaves.set(owner, leaf);
await store.sweep();
for (;;) {
  const owner = `document:${Math.floor(random() * 4)}`;
  if (random() < 0.35) {
    say(`removing ${owner}`);
    await store.remove([owner]);
    leaves.delete(owner);
    say(`removed ${owner}`);
  } else {
    const parents = [...leaves.values()];
    const parent = leaves.get(owner) ?? parents[Math.floor(random() * parents.length)] ?? null;
    const tokens = Uint32Array.of(Math.floor(random() * 3), 5, 6);
    const key = await store.seal(parent, fingerprint, tokens, partsFor(tokens), { name: owner });
    leaves.set(owner, key);
    say(`held ${owner} ${key}`);
  }
}
