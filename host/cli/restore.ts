/** `longleaf restore`: the newest sound backup in the place of a damaged database. */
import { restoreBackup } from '../storage/backups.ts';
import { openDataFolder } from '../storage/dataFolder.ts';
import { InstanceLock } from '../storage/instanceLock.ts';
import type { CommandContext } from './context.ts';

export function restore({ output, dataFolder }: CommandContext): Promise<void> {
  const folder = openDataFolder(dataFolder);
  const lock = InstanceLock.acquire(folder.lock, folder.root);
  try {
    const { backup, aside } = restoreBackup(folder.database, folder.backups);
    output.note(`The backup ${backup} is the database now. What was there before lies in ${aside}.`);
    output.event({ event: 'done', backup, aside });
  } finally {
    lock.release();
  }
  return Promise.resolve();
}
