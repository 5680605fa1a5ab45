/** What everything takes on the disk. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StorageUsage } from './contract/hub.ts';
import type { Host } from './host.ts';
import { journalSuffix, partSuffix } from './downloads/rangedPart.ts';
import { freeBytes } from './models/freeSpace.ts';

export async function storageUsage({ folder, models, modelFolders, memories, settings }: Host): Promise<StorageUsage> {
  const { caps } = settings.read();
  const all = models.list().filter(({ state }) => state === 'ready');
  const sum = (chosen: typeof all) => chosen.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
  const quota = await memories.quota();
  const database = await Promise.all(['', '-wal', '-shm'].map((end) => bytesOf(folder.database + end)));
  return {
    models: { bytes: sum(all.filter(({ owned }) => owned)), capBytes: caps.modelsBytes },
    linkedModels: { bytes: sum(all.filter(({ owned }) => !owned)) },
    downloads: { bytes: await partBytes(modelFolders.all()) },
    memories: { bytes: quota.usedBytes, capBytes: quota.quotaBytes },
    documents: { bytes: await folderBytes(folder.documents), capBytes: caps.documentsBytes },
    chats: { bytes: database.reduce((total, bytes) => total + bytes, 0) },
    backups: { bytes: await folderBytes(folder.backups) },
    dataFolder: folder.root,
    diskFreeBytes: await freeBytes(folder.root),
  };
}

/** What a file takes of the disk: less than its length where it has holes, as a download on its way has. */
async function bytesOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return 0;
  return found.blocks > 0 ? Math.min(found.size, found.blocks * 512) : found.size;
}

export async function folderBytes(path: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(path, { recursive: true }).catch(() => [])) bytes += await bytesOf(join(path, name));
  return bytes;
}

async function partBytes(folders: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const folder of folders) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (name.endsWith(partSuffix) || name.endsWith(partSuffix + journalSuffix)) bytes += await bytesOf(join(folder, name));
    }
  }
  return bytes;
}
