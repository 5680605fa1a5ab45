/** What keys and values may take when the person has not said. */
import { freemem } from 'node:os';
import { machineMemoryBytes } from './machineMemory.ts';

/** On a GPU whose memory is not known: what an 8 GB card can spare. */
const unknownGpuKvBytes = 2 * 2 ** 30;
/** Of what weights and other programs leave of a GPU's memory; activations and the index's scratch need some of the rest. */
const gpuKvShare = 0.6;
/** For the screen and other programs. */
const othersBytes = 1.5 * 2 ** 30;
const leastGpuKvBytes = 2 ** 28;
/** Budgets are whole multiples, so that a verdict and the loader, who know the weights a little differently, agree. */
const stepBytes = 2 ** 26;
/** The share of the machine's memory on adapters that compute on the processor. */
const softwareKvShare = 1 / 8;
/** The share of the machine's memory for keys and values beyond the GPU. */
const ramKvShare = 1 / 4;

/** `gpuBytes`: the GPU's memory, null where it is not known. `modelBytes`: the model's file. */
export function defaultGpuKvBytes(kind: 'gpu' | 'software', { gpuBytes, modelBytes }: { gpuBytes: number | null; modelBytes: number }): number {
  if (kind === 'software') return Math.min(freemem() / 2, machineMemoryBytes() * softwareKvShare);
  if (gpuBytes === null) return unknownGpuKvBytes;
  const spareBytes = gpuKvShare * (gpuBytes - othersBytes - modelBytes);
  return Math.max(leastGpuKvBytes, Math.floor(spareBytes / stepBytes) * stepBytes);
}

export function defaultRamKvBytes(): number {
  return machineMemoryBytes() * ramKvShare;
}
