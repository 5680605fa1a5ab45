/** Why a disk or SQLite would not do something, in our words: what is no damage must not be taken for one. */
import { HostError, systemErrorCode } from '../errors.ts';

/** Primary result codes of SQLite. */
export const sqlite = { busy: 5, ioError: 10, full: 13 } as const;
const permission = 3;
const readOnly = 8;
const cannotOpen = 14;

export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  // The higher bits say more than is needed here.
  return error.errcode & 0xff;
}

/** `folder` is full, cannot be written, or cannot be reached; undefined: it is something else. */
export function storageFailure(folder: string, error: unknown): HostError | undefined {
  const system = systemErrorCode(error) ?? '';
  const code = sqliteCode(error);
  if (['ENOSPC', 'EDQUOT'].includes(system) || code === sqlite.full) {
    return new HostError('disk-full', 'The disk is full: Longleaf could not save what it was doing.', 'Free some space and try again.', { cause: error });
  }
  if (code !== undefined && [permission, readOnly, sqlite.ioError, cannotOpen].includes(code)) return cannotWrite(folder, error instanceof Error ? error.message : String(code), error);
  return ['EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOTDIR'].includes(system) ? cannotWrite(folder, system, error) : undefined;
}

export function cannotWrite(folder: string, why: string, cause: unknown): HostError {
  return new HostError(
    'data-folder-unusable',
    `Longleaf cannot write to its data folder ${folder} (${why}).`,
    'Give yourself write access to it, or choose another folder with --data or LONGLEAF_DATA.',
    { cause },
  );
}
