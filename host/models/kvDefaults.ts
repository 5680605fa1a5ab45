/** What keys and values may take when the person has not said. */
import { freemem, totalmem } from 'node:os';

/** On a GPU: what an 8 GB card can spare. */
const gpuKvBytes = 2 * 2 ** 30;
/** The share of the machine's memory on adapters that compute on the processor. */
const softwareKvShare = 1 / 8;
/** The share of the machine's memory for keys and values beyond the GPU. */
const ramKvShare = 1 / 4;

export function defaultGpuKvBytes(kind: 'gpu' | 'software'): number {
  return kind === 'gpu' ? gpuKvBytes : Math.min(freemem() / 2, totalmem() * softwareKvShare);
}

export function defaultRamKvBytes(): number {
  return totalmem() * ramKvShare;
}
