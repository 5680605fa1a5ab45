/**
 * The store of memories that the GPU worker has open, over its protocol. The worker holds the store's lock from its
 * first use to its end, so nobody else may open the folder meanwhile. It deletes between its jobs, never in the middle
 * of one, so a reading makes room for that.
 */
import * as z from 'zod';
import type { MemoryCall } from '../gpu-worker/protocol.ts';
import type { WorkerSupervisor } from '../worker/supervisor.ts';
import type { WorkLine } from '../worker/workLine.ts';
import type { MemoryAdministration } from './memoryShelf.ts';

const freed = z.object({ bytes: z.number(), segments: z.number() });
const usage = z.object({ usedBytes: z.number(), unneededBytes: z.number(), quotaBytes: z.number().nullable(), freeBytes: z.number() });
const summary = z.object({
  leaf: z.string(),
  fingerprint: z.string(),
  tokens: z.number(),
  bytes: z.number(),
  freedBytes: z.number(),
  createdAtMs: z.number(),
  lastUsedAtMs: z.number(),
  owners: z.array(z.object({ owner: z.string(), title: z.string().nullable(), modelName: z.string().nullable() })),
  damaged: z.boolean(),
});

export function workerMemories(supervisor: WorkerSupervisor, line: WorkLine, folder: string): MemoryAdministration {
  const run = <T>(call: MemoryCall, result: z.ZodType<T>): Promise<T> => supervisor.run({ kind: 'memories', folder, call }, result);
  const runAside = <T>(call: MemoryCall, result: z.ZodType<T>): Promise<T> => line.aside(() => run(call, result));
  return {
    list: () => run({ name: 'list' }, z.array(summary)),
    remove: (owners) => runAside({ name: 'remove', owners: [...owners] }, freed),
    removeLeaf: (leaf) => runAside({ name: 'removeLeaf', leaf }, freed),
    sweep: () => runAside({ name: 'sweep' }, freed),
    usage: () => run({ name: 'usage' }, usage),
    setQuota: async (quotaBytes) => void (await run({ name: 'setQuota', quotaBytes }, z.unknown())),
    // The worker keeps it open.
    close: () => Promise.resolve(),
  };
}
