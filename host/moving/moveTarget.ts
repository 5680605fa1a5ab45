/** Where a data folder may move to: an empty folder that can be written and has the room, with a plan of what it takes. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { HostError, systemErrorCode } from '../errors.ts';
import { freeBytes } from '../models/freeSpace.ts';
import { dataNames, passingNames } from '../storage/dataFolder.ts';
import { arrivingFrom, arrivingName, followMoves, leadsToName } from '../storage/movedFolder.ts';
import { formatBytes } from '../wording.ts';
import { canLink, findFiles } from './copyFiles.ts';

/** Left free: the next start writes logs and a backup. */
const spareBytes = 64 * 2 ** 20;

/** Taken inside a folder that has other things in it. */
const ownName = 'Longleaf';

export interface TargetPlan {
  path: string;
  bytes: number;
  freeBytes: number;
  sameDrive: boolean;
}

/** Leaves nothing behind. @throws `data-folder-target`, `disk-full`. */
export async function planMove(root: string, chosen: string): Promise<TargetPlan> {
  const path = await placeIn(root, chosen);
  const made = await makeFolder(path);
  try {
    const files = await findFiles(root, dataNames);
    const bytes = files.reduce((sum, { takenBytes }) => sum + takenBytes, 0);
    const sameDrive = await canLink(root, path);
    const there = await findFiles(path, dataNames);
    const free = (await freeBytes(path)) + there.reduce((sum, { takenBytes }) => sum + takenBytes, 0);
    if (!sameDrive && free < bytes + spareBytes) {
      throw new HostError('disk-full', `The data folder needs ${formatBytes(bytes + spareBytes)}, but only ${formatBytes(free)} are free at ${path}.`, 'Free some space there, or choose another drive.');
    }
    return { path, bytes, freeBytes: free, sameDrive };
  } finally {
    for (const folder of made) await rmdir(folder).catch(() => undefined);
  }
}

async function placeIn(root: string, chosen: string): Promise<string> {
  const found = await stat(chosen).catch(() => null);
  if (found && !found.isDirectory()) throw new HostError('data-folder-target', `${chosen} is a file.`, 'Choose a folder.');
  const path = (await isFree(chosen, root)) ? chosen : join(chosen, ownName);
  if (path === root) throw new HostError('data-folder-target', `The data folder is ${root} already.`, 'Choose another folder.');
  if (isInside(path, root)) throw new HostError('data-folder-target', `${path} lies inside the data folder itself.`, 'Choose a folder outside of it.');
  if (isInside(root, path)) throw new HostError('data-folder-target', `The data folder lies inside ${path}.`, 'Choose another folder.');
  if (!(await isFree(path, root))) throw new HostError('data-folder-target', `${path} has other things in it.`, 'Choose an empty folder, or make a new one.');
  return path;
}

/** Not there, empty, an unfinished copy of `root`, or where `root` itself once came from, whatever else is there. */
async function isFree(path: string, root: string): Promise<boolean> {
  if (path === root) return true;
  if (arrivingFrom(path)?.from === root) return true;
  if (followMoves(path).root === root) return !dataNames.some((name) => existsSync(join(path, name)));
  const ours = new Set<string>([leadsToName, arrivingName, ...passingNames]);
  const names = await readdir(path).catch(() => []);
  return names.every((name) => ours.has(name));
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

/** Makes it, and sees whether it can be written. Returns the folders that were not there before, the deepest first. */
export async function makeFolder(path: string): Promise<string[]> {
  const made: string[] = [];
  for (let folder = path; !existsSync(folder) && dirname(folder) !== folder; folder = dirname(folder)) made.push(folder);
  try {
    // One by one: where a file system takes no folders, as /proc, Node's own recursion never ends.
    for (const folder of made.toReversed()) await mkdir(folder, { mode: 0o700 });
    const probe = join(path, '.longleaf-probe');
    await writeFile(probe, 'probe');
    await rm(probe);
    return made;
  } catch (error) {
    for (const folder of made) await rmdir(folder).catch(() => undefined);
    throw new HostError('data-folder-target', `Longleaf cannot write to ${path} (${systemErrorCode(error) ?? String(error)}).`, 'Give yourself write access to it, or choose another folder.', { cause: error });
  }
}
