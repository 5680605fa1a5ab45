/** What can go wrong with memories, in the words a person sees. */
import { HostError } from '../errors.ts';
import { formatBytes } from '../wording.ts';

/** Bytes on disk that are not what was written. */
export class MemoryDamagedError extends HostError {
  /** The segment to put aside with `quarantine`, where it is one. */
  readonly key: string | null;
  /** Path below the memories folder. */
  readonly file: string;
  /** Block of 4 KiB, from 0; null when the file as a whole is not what it should be. */
  readonly block: number | null;

  constructor(where: { key: string | null; file: string; block?: number }, what: string, remedy: string = rebuildRemedy) {
    const block = where.block === undefined ? '' : `, block ${where.block} (byte ${where.block * 4096})`;
    super('memory-damaged', `A file of what was read is damaged: memories/${where.file}${block}: ${what}.`, remedy);
    this.key = where.key;
    this.file = where.file;
    this.block = where.block ?? null;
  }
}

/** What was kept is whole, but this model on this machine does not go on from it as it did. */
export class MemoryMismatchError extends HostError {
  /** The segments to put aside. */
  readonly keys: readonly string[];

  constructor(keys: readonly string[], difference: number) {
    const amount = Number.isFinite(difference) ? `its logits differ by ${difference.toFixed(2)}` : 'its logits are not comparable';
    super(
      'memory-mismatch',
      `What was read before does not fit this model on this machine any more: ${amount}. The engine, the graphics driver or the model has changed.`,
      'Try again: the document is then read anew; what was kept before stays until that is complete.',
    );
    this.keys = keys;
  }
}

const rebuildRemedy = 'Let this part of the document be read again; the damaged file is kept until the new one is complete.';

export function memoryNotFound(key: string): HostError {
  return new HostError('memory-not-found', `There is no segment ${key.slice(0, 12)}… among the memories.`, 'Read the document again.');
}

/** The folder of memories cannot be written or read at all. */
export function folderUnusable(folder: string, code: string, cause: unknown): HostError {
  return new HostError(
    'data-folder-unusable',
    `Longleaf cannot use its folder of memories ${folder} (${code}).`,
    'Give yourself write access to it, or choose another data folder with --data or LONGLEAF_DATA.',
    { cause },
  );
}

/** The disk cannot take what is to be written. */
export function diskFull(neededBytes: number, freeBytes: number, cause?: unknown): HostError {
  return new HostError(
    'disk-full',
    `${formatBytes(neededBytes)} are needed for what is read, but only ${formatBytes(Math.max(0, freeBytes))} can be used of this disk.`,
    'Free some space or delete memories, then go on: what has been read is kept.',
    { cause },
  );
}

/** The person's own limit for memories. */
export function quotaFull(neededBytes: number, leftBytes: number, quotaBytes: number): HostError {
  return new HostError(
    'memory-quota-full',
    `Only ${formatBytes(Math.max(0, leftBytes))} of the ${formatBytes(quotaBytes)} for memories are left, and ${formatBytes(neededBytes)} are needed for what is read.`,
    'Delete memories or allow more on the memories page, then go on: what has been read is kept.',
  );
}
