/** How fast a store of far keys and values reads what was written to it, by the same calls as misses make. */
import type { BlockStore } from '../../engine/ports.ts';
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import { blockWords } from '../../engine/kv/tiers/blockCache.ts';

export interface DiskSpeed {
  /** Blocks of single keys, many at once: reads and bytes a second. */
  blockBytes: number;
  blocksPerSecond: number;
  blockBytesPerSecond: number;
  /** Long runs one after the other. */
  runBytesPerSecond: number;
}

const name = 'speed';
const blocksAtOnce = 512;
const rounds = 8;
const runBytes = 2 ** 20;

/** Of a file of `sizeBytes`, just written: where memory is free the system has all of it there. */
export async function measureDisk(store: BlockStore, sizeBytes = 2 ** 28): Promise<DiskSpeed> {
  const blockBytes = 4 * blockWords;
  await store.write(name, new Uint8Array(sizeBytes).fill(1));
  const random = seededRandom(1);
  const startMs = performance.now();
  for (let round = 0; round < rounds; round++) {
    const blocks = Array.from({ length: blocksAtOnce }, () => ({ offsetBytes: blockBytes * Math.floor((random() * sizeBytes) / blockBytes), lengthBytes: blockBytes }));
    await store.read(name, blocks);
  }
  const readMs = performance.now();
  for (let offsetBytes = 0; offsetBytes < sizeBytes; offsetBytes += runBytes) await store.read(name, [{ offsetBytes, lengthBytes: runBytes }]);
  const endMs = performance.now();
  await store.remove(name);
  const blocksPerSecond = (1000 * rounds * blocksAtOnce) / (readMs - startMs);
  return { blockBytes, blocksPerSecond, blockBytesPerSecond: blockBytes * blocksPerSecond, runBytesPerSecond: (1000 * sizeBytes) / (endMs - readMs) };
}
