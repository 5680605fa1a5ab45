/** A hub with one file, for one test, which says how it misbehaves. */
import { onTestFinished } from 'vitest';
import { contentOf } from './hub/hubContent.ts';
import { type HubFault, type ModelHub, startModelHub } from './hub/modelHub.ts';
import type { StorageFault } from './hub/storageHost.ts';

export interface HubFaults extends Pick<HubFault, 'silent' | 'redirectForever' | 'withoutIdentity'>, Pick<StorageFault, 'contentRange' | 'stallAfterBytes' | 'dieAfterBytes'> {
  /** Sent instead of the file by the second host. */
  content?: Buffer;
  /** The status and headers of `resolve`. */
  refuse?: { status: number; headers?: Record<string, string> };
  /** How many times to refuse; always, if not said. */
  refuseTimes?: number;
  /** How many connections die or stall; for stalling, one, if not said. */
  times?: number;
  /** The second host answers 200 and the whole file, whatever range is asked for. */
  ignoreRanges?: boolean;
  /** How the second host answers each request, from the first. */
  storage?: (StorageFault | undefined)[];
}

export async function startHubServer(file: Buffer, faults: HubFaults = {}): Promise<ModelHub> {
  const { silent, redirectForever, withoutIdentity, refuse, refuseTimes = Infinity, times = Infinity, contentRange, dieAfterBytes, stallAfterBytes, storage = [] } = faults;
  let refusals = 0;
  let answers = 0;
  const content = faults.content && contentOf(faults.content);
  const hub = await startModelHub({
    repositories: [{ id: 'someone/tiny', files: { 'tiny model.gguf': contentOf(file) } }],
    hubFault: () => {
      refusals += 1;
      return refuse && refusals <= refuseTimes ? refuse : { silent, redirectForever, withoutIdentity };
    },
    storageFault: () => {
      answers += 1;
      const breaks = answers <= (stallAfterBytes === undefined ? times : Math.min(times, 1));
      return { content, ignoreRange: faults.ignoreRanges, contentRange, ...(breaks && { dieAfterBytes, stallAfterBytes }), ...storage[answers - 1] };
    },
  });
  onTestFinished(() => hub.close());
  return hub;
}
