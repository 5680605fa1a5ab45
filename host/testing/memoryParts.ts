/** Segments whose content follows from their tokens, so that a test can tell a wrong byte. */
import type { MemoryStore } from '../memories/memoryStore.ts';
import type { Part } from '../memories/segmentFormat.ts';

export const fingerprint = 'model 1, f16';

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomTokens(random: () => number, most = 40): Uint32Array {
  return Uint32Array.from({ length: 1 + Math.floor(random() * most) }, () => Math.floor(random() * 50_000));
}

const contents = new Map<string, Uint8Array>();

/** Parts of 0 to a few blocks, some of them whole blocks. */
export function partsFor(tokens: Uint32Array, names: readonly string[] = ['keys.0', 'values.0', 'sketch.0']): Part[] {
  return names.map((name) => {
    const known = contents.get(`${name} ${tokens}`);
    if (known) return { name, bytes: known };
    const random = seededRandom([...tokens, ...Buffer.from(name)].reduce((seed, value) => (Math.imul(seed, 31) + value) | 0, 7));
    const blocks = Math.floor(random() * 4);
    const length = Math.max(0, blocks * 4096 - (random() < 0.4 ? 0 : Math.floor(random() * 4096)));
    const bytes = Uint8Array.from({ length }, () => Math.floor(random() * 256));
    contents.set(`${name} ${tokens}`, bytes);
    return { name, bytes };
  });
}

/** Reads every part of a segment whole, and in pieces, and compares; resolves to how many bytes there were. */
export async function checkSegment(store: MemoryStore, key: string): Promise<number> {
  const { parts } = store.describe(key);
  const tokens = await store.tokens(key);
  const names = [...parts.keys()].filter((name) => name !== 'tokens');
  let bytes = 0;
  for (const part of partsFor(tokens, names)) {
    const stored = await store.read(key, part.name, 0, parts.get(part.name) ?? 0);
    if (Buffer.compare(stored, part.bytes) !== 0) throw new Error(`wrong bytes in “${part.name}” of ${key}`);
    bytes += stored.length;
  }
  return bytes;
}
