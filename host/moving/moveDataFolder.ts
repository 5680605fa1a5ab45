/**
 * Moves a data folder that nobody has open: copies it, reads the copy again, switches over by one note that is written or
 * deleted, and only then deletes the old one. Stopped or failed before the switch, everything is as it was; killed at any
 * moment, the next start finds either the old folder or the new one whole.
 */
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HostError, systemErrorCode } from '../errors.ts';
import { type DataFolder, dataNames, passingNames } from '../storage/dataFolder.ts';
import { InstanceLock } from '../storage/instanceLock.ts';
import { arrivingFrom, arrivingName, forgetNote, leadsToName, leaveNoteTo, leavingName, leavingTo, noteArriving, noteLeaving } from '../storage/movedFolder.ts';
import { type CopyOptions, copyFiles, findFiles } from './copyFiles.ts';
import { makeFolder } from './moveTarget.ts';

export interface MoveOptions extends Pick<CopyOptions, 'signal'> {
  onProgress(doneBytes: number, totalBytes: number): void;
}

/** `to` was planned for. @throws what went wrong, after everything was undone. */
export async function moveDataFolder(from: DataFolder, to: string, { signal, onProgress }: MoveOptions): Promise<void> {
  const lock = InstanceLock.acquire(from.lock, from.root);
  try {
    await makeFolder(to);
    noteLeaving(from.root, to);
    noteArriving(to, from.root, false);
    const files = await findFiles(from.root, dataNames);
    // Copied once, read again once.
    const totalBytes = 2 * files.reduce((sum, { takenBytes }) => sum + takenBytes, 0);
    let doneBytes = 0;
    await copyFiles(from.root, to, dataNames, files, {
      signal,
      onProgress: (bytes) => onProgress(Math.min(totalBytes, (doneBytes += bytes)), totalBytes),
    });
    noteArriving(to, from.root, true);
    if (from.noteIn === to) forgetNote(to, leadsToName);
    else leaveNoteTo(from.noteIn ?? from.root, to);
  } catch (error) {
    await discardCopy(from.root).catch(() => undefined);
    throw systemErrorCode(error) === 'ENOSPC' ? noRoom(to, error) : error;
  } finally {
    lock.release();
  }
}

/** After the switch, when the new folder cannot be opened: the old one is still whole. */
export async function undoMove(from: DataFolder): Promise<void> {
  if (from.noteIn === null) forgetNote(from.root, leadsToName);
  else leaveNoteTo(from.noteIn, from.root);
  await discardCopy(from.root);
}

/** Deletes what a move that did not come to its end has copied. */
export async function discardCopy(root: string): Promise<void> {
  const to = leavingTo(root);
  if (to !== null && arrivingFrom(to)?.from === root) {
    await removeContent(to, [...dataNames, ...passingNames, arrivingName]);
    await removeEmpty(to);
  }
  forgetNote(root, leavingName);
}

/** After the switch: the old folder is not needed any more. Does nothing where there was no move. */
export async function deleteOldFolder({ root }: Pick<DataFolder, 'root'>): Promise<void> {
  const note = arrivingFrom(root);
  if (!note) return;
  // Only what says of itself that it has come here.
  if (leavingTo(note.from) === root) {
    await removeContent(note.from, [...dataNames, ...passingNames, leavingName]);
    await removeEmpty(note.from);
  }
  forgetNote(root, arrivingName);
}

async function removeContent(root: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(root, name), { recursive: true, force: true });
}

/** A folder that has something else in it stays. */
async function removeEmpty(root: string): Promise<void> {
  await rmdir(root).catch(() => undefined);
}

function noRoom(to: string, cause: unknown): HostError {
  return new HostError('disk-full', `The disk of ${to} is full.`, 'Free some space there, or choose another drive. Everything is still where it was.', { cause });
}
