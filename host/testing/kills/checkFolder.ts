/** Looks through a data folder that nobody has open: nothing in it may be damaged, and nothing be left that belongs to nothing. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openHost } from '../../host.ts';
import { MemoryStore } from '../../memories/memoryStore.ts';
import { scriptedWorkerPath } from '../scriptedWorkerPath.ts';

/** Returns what is wrong, in words. */
export async function checkFolder(dataFolder: string): Promise<string[]> {
  const problems: string[] = [];
  // Opening looks through the whole database.
  const host = await openHost({ dataFolder, worker: { entry: scriptedWorkerPath } });
  try {
    const { folder, models, documents } = host;
    const known = new Set(documents.list().map(({ id }) => id));
    for (const name of readdirSync(folder.documents)) if (!known.has(stemOf(name))) problems.push(`${name} belongs to no document`);
    for (const { id, name } of models.list()) if (!(await models.verify(id)).ok) problems.push(`the file of ${name} is damaged`);
    const modelFiles = new Set(models.list().flatMap(({ id }) => models.files(id)));
    for (const name of readdirSync(folder.models)) {
      const isOnItsWay = /\.part(\.journal)?$/.test(name) && readdirSync(folder.models).includes(`${name.replace(/\.journal$/, '')}.journal`);
      if (!isOnItsWay && !modelFiles.has(join(folder.models, name))) problems.push(`${name} belongs to no model`);
    }
    for (const name of readdirSync(folder.staging)) problems.push(`${name} was left in the staging folder`);
    problems.push(...checkBackups(folder.backups));
    if (existsSync(folder.memories)) problems.push(...(await checkMemories(folder.memories)));
  } finally {
    await host.close();
  }
  return problems;
}

/** Every copy of the database is whole, and there is nothing beside them. */
export function checkBackups(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    if (name === 'outdated') return [];
    if (!name.endsWith('.sqlite')) return [`${name} was left among the backups`];
    return isWhole(join(folder, name)) ? [] : [`the backup ${name} is damaged`];
  });
}

export function isWhole(databasePath: string): boolean {
  const sqlite = new DatabaseSync(databasePath, { readOnly: true });
  try {
    return sqlite.prepare('PRAGMA integrity_check').get()?.['integrity_check'] === 'ok';
  } finally {
    sqlite.close();
  }
}

async function checkMemories(folder: string): Promise<string[]> {
  const store = await MemoryStore.open({ folder, keptFreeBytes: 0 });
  try {
    const damaged = [...store.problems(), ...(await store.scrub(undefined, () => Promise.resolve()))];
    return damaged.map((problem) => `a memory is damaged: ${JSON.stringify(problem)}`);
  } finally {
    await store.close();
  }
}

function stemOf(name: string): string {
  return name.replace(/\.[^.]*$/, '');
}
