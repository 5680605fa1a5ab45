/**
 * Storage for a command that only reads: it works beside a running Longleaf, without the instance lock.
 * The lock is taken for a moment when the schema has to be made or brought up to date.
 */
import { Database } from './database.ts';
import { type DataFolder, openDataFolder } from './dataFolder.ts';
import { InstanceLock } from './instanceLock.ts';

export interface SharedStorage {
  folder: DataFolder;
  database: Database;
}

export function openSharedStorage(root: string): SharedStorage {
  const folder = openDataFolder(root);
  if (Database.isCurrent(folder.database)) return { folder, database: Database.open(folder.database, folder.backups) };
  const lock = InstanceLock.acquire(folder.lock, folder.root);
  try {
    return { folder, database: Database.open(folder.database, folder.backups) };
  } finally {
    lock.release();
  }
}
