/** A block store in memory, for tests; knows how many reads and bytes it served. */
import type { BlockStore } from '../../../ports.ts';

export function memoryBlocks(): { disk: BlockStore; runs: Map<string, Uint8Array>; served: { reads: number; bytes: number } } {
  const runs = new Map<string, Uint8Array>();
  const served = { reads: 0, bytes: 0 };
  const disk: BlockStore = {
    write: async (name, bytes) => {
      runs.set(name, bytes.slice());
    },
    read: async (name, ranges) => {
      const run = runs.get(name);
      if (!run) throw new Error(`no run called ${name}`);
      return ranges.map(({ offsetBytes, lengthBytes }) => {
        if (offsetBytes + lengthBytes > run.length) throw new RangeError(`${name} ends before ${offsetBytes + lengthBytes}`);
        served.reads++;
        served.bytes += lengthBytes;
        return run.slice(offsetBytes, offsetBytes + lengthBytes);
      });
    },
    remove: async (name) => {
      runs.delete(name);
    },
  };
  return { disk, runs, served };
}
