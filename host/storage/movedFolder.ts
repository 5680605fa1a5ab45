/**
 * A data folder that was moved leaves a note where it was, which leads to where it is. While it moves, a note in each of
 * the two folders says what is going on, so that a kill at any moment leaves one that is whole and known.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { HostError } from '../errors.ts';

const leadsTo = z.object({ movedTo: z.string() });
const leaving = z.object({ to: z.string() });
const arriving = z.object({ from: z.string(), whole: z.boolean() });
export type Arriving = z.infer<typeof arriving>;

/** In a folder whose content has gone elsewhere. */
export const leadsToName = 'moved-to.json';
/** In the folder that is being copied. */
export const leavingName = 'moving-to.json';
/** In the copy: until it is whole nobody may open it, and until the old one is gone it says where that is. */
export const arrivingName = 'moving-from.json';

/** Notes that lead in a circle would be followed for ever. */
const mostHops = 8;

/** Where the data folder `root` is now, and in which folder the note lies that led there; null: it never moved. */
export function followMoves(root: string): { root: string; noteIn: string | null } {
  let at = root;
  let noteIn: string | null = null;
  for (let hop = 0; hop < mostHops; hop += 1) {
    const next = read(join(at, leadsToName), leadsTo)?.movedTo;
    if (next === undefined) break;
    noteIn = at;
    at = next;
  }
  return { root: at, noteIn };
}

export function leaveNoteTo(root: string, movedTo: string): void {
  write(join(root, leadsToName), { movedTo });
}

export function leavingTo(root: string): string | null {
  return read(join(root, leavingName), leaving)?.to ?? null;
}

export function noteLeaving(root: string, to: string): void {
  write(join(root, leavingName), { to });
}

export function arrivingFrom(root: string): Arriving | null {
  return read(join(root, arrivingName), arriving);
}

export function noteArriving(root: string, from: string, whole: boolean): void {
  write(join(root, arrivingName), { from, whole });
}

export function forgetNote(root: string, name: typeof leadsToName | typeof leavingName | typeof arrivingName): void {
  rmSync(join(root, name), { force: true });
}

/** Half a copy must not be taken for a data folder. */
export function refuseHalfCopy(root: string): void {
  const note = arrivingFrom(root);
  if (note === null || note.whole) return;
  throw new HostError('data-folder-incomplete', `${root} holds an unfinished copy of the data folder ${note.from}.`, `Start Longleaf with ${note.from}: its settings offer to go on with the move, or to undo it.`);
}

/** The drive that it moved to may not be there. */
export function movedAway(root: string, noteIn: string): HostError {
  return new HostError('data-folder-missing', `The data folder was moved to ${root}, which is not there now.`, `Connect its drive and start again. If it is gone for good, delete ${join(noteIn, leadsToName)} to start with an empty one.`);
}

function read<T>(path: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}

/** Whole or not at all, also after a power cut. */
function write(path: string, content: object): void {
  const file = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(file, JSON.stringify(content));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}
