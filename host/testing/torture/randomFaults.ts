/** Faults as they come, by chance: of the hub, of the host of the bytes, and of the connection between. */
import type { HubContent } from '../hub/hubContent.ts';
import type { HubFault } from '../hub/modelHub.ts';
import type { StorageFault } from '../hub/storageHost.ts';

/** A number below 1. */
export type Random = () => number;

export function storageFaults(random: Random, sizeBytes: number, other: HubContent): (() => StorageFault)[] {
  const some = (most: number) => Math.floor(random() * most);
  return [
    () => ({ status: 500 }),
    () => ({ status: 503, headers: { 'retry-after': '0' } }),
    () => ({ status: 429, headers: { ratelimit: '"resolvers";r=0;t=0' } }),
    // A signature that is no longer good.
    () => ({ status: 403 }),
    () => ({ status: 404 }),
    () => ({ status: 416, headers: { 'content-range': `bytes */${sizeBytes}` } }),
    () => ({ etag: `"other-${some(1000)}"` }),
    () => ({ etag: null }),
    // Another state of the file.
    () => ({ content: other }),
    () => ({ contentRange: `bytes ${some(sizeBytes)}-${sizeBytes - 1}/${sizeBytes}` }),
    () => ({ contentLength: 1 + some(sizeBytes) }),
    () => ({ ignoreRange: true }),
    () => ({ dieAfterBytes: some(sizeBytes / 16) }),
    () => ({ dieAfterBytes: some(sizeBytes / 4) }),
    () => ({ stallAfterBytes: some(sizeBytes / 8) }),
    () => ({ bytesPerSecond: 2e5 }),
    () => ({ silent: true }),
  ];
}

export function hubFaults(): HubFault[] {
  return [{ status: 500 }, { status: 429, headers: { 'retry-after': '0' } }, { status: 401, headers: { 'x-error-code': 'GatedRepo' } }, { silent: true }, { withoutIdentity: true }];
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  const chosen = choices[Math.floor(random() * choices.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
}
