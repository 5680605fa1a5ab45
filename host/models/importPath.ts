/** Models from a file or a folder of this machine. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { FolderImport } from '../contract/hub.ts';
import { HostError } from '../errors.ts';
import type { Host } from '../host.ts';
import type { Ownership } from './modelStore.ts';

/** A folder that is linked stays in the list of folders. @throws `file-not-found`, and what the file itself is refused for. */
export async function importPath({ models, modelFolders }: Pick<Host, 'models' | 'modelFolders'>, path: string, ownership: Exclude<Ownership, 'move'>): Promise<FolderImport> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) return ownership === 'link' ? modelFolders.add(path) : modelFolders.importFrom(path, ownership);
  // What is neither, a pipe for one, may never end.
  if (!found?.isFile()) throw new HostError('file-not-found', `There is no file and no folder ${path}.`, 'Look where it is, and write its whole path.');
  const model = await models.importFile(path, basename(path), ownership);
  return { added: [model.id], failed: [] };
}
