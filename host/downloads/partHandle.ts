/** The file that a download grows in, and what is said when the disk has no room for it. */
import { open } from 'node:fs/promises';
import { HostError } from '../errors.ts';
import { formatBytes } from '../wording.ts';

/** The part of a `FileHandle` that is used; tests put a full disk behind it. */
export interface PartHandle {
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
  stat(): Promise<{ size: number }>;
}
export type OpenPart = (path: string) => Promise<PartHandle>;

export const openPartOnDisk: OpenPart = (path) => open(path, 'a+', 0o600).then(async (file) => {
  // Append mode would ignore positions; it only made the file.
  await file.close();
  return open(path, 'r+');
});

export function diskFull(keptBytes: number, cause?: unknown): HostError {
  return new HostError(
    'disk-full',
    `The disk became full while downloading; ${formatBytes(keptBytes)} are kept.`,
    'Free some space and start the download again: it goes on where it stopped.',
    { cause },
  );
}
