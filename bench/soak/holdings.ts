/** What processes hold, once garbage is gone: memory, files, sockets, timers, children. Linux. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Handles that the system knows, by kind: `files` are those with a path. */
export interface Handles {
  files: number;
  sockets: number;
  pipes: number;
  others: number;
}

export interface ProcessHoldings {
  residentMegabytes: number;
  handles: Handles;
  threads: number;
  children: number;
}

export interface OwnHoldings extends ProcessHoldings {
  heapMegabytes: number;
  /** Outside of the JavaScript heap, held by objects in it. */
  externalMegabytes: number;
  /** Node's own list of what keeps a process busy, by kind. */
  resources: Record<string, number>;
}

export function holdingsOf(processId: number): ProcessHoldings {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  const handles: Handles = { files: 0, sockets: 0, pipes: 0, others: 0 };
  for (const handle of readdirSync(`/proc/${processId}/fd`)) handles[kindOf(`/proc/${processId}/fd/${handle}`)] += 1;
  return {
    residentMegabytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1000,
    handles,
    threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0),
    children: readFileSync(`/proc/${processId}/task/${processId}/children`, 'utf8').split(' ').filter(Boolean).length,
  };
}

/** Of this process. */
export async function ownHoldings(): Promise<OwnHoldings> {
  // What a collection lets go of may be needed by another, e.g. by what is freed in callbacks.
  for (let collection = 0; collection < 3; collection += 1) {
    collectGarbage();
    await pause(200);
  }
  const { heapUsed, external } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return { ...holdingsOf(process.pid), heapMegabytes: heapUsed / 1e6, externalMegabytes: external / 1e6, resources };
}

function kindOf(link: string): keyof Handles {
  try {
    const target = readlinkSync(link);
    if (target.startsWith('socket:')) return 'sockets';
    if (target.startsWith('pipe:')) return 'pipes';
    return target.startsWith('/') && !target.startsWith('/dev/') ? 'files' : 'others';
  } catch {
    // It was the one that lists them.
    return 'others';
  }
}
