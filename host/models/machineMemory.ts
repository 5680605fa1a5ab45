/** The memory of this machine, and models that it cannot hold at all. */
import { totalmem } from 'node:os';
import { HostError } from '../errors.ts';
import { formatBytes } from '../wording.ts';

/** Less than the machine has where this process is kept in a part of it, as in a container. */
export function machineMemoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
}

/**
 * An adapter that computes on the processor keeps the weights in the machine's memory, and takes more of it than there
 * is until the system ends the process, or another one.
 * @throws `model-too-large`
 */
export function refuseWhatMemoryCannotHold(kind: 'gpu' | 'software', modelBytes: number, memoryBytes = machineMemoryBytes()): void {
  if (kind === 'gpu' || modelBytes <= memoryBytes * 0.9) return;
  throw new HostError(
    'model-too-large',
    `The model takes ${formatBytes(modelBytes)} of memory, and this machine has ${formatBytes(memoryBytes)}.`,
    'Choose a smaller model, or the same one in fewer bits for each weight; the page “Models” says which of them fit this machine.',
  );
}
