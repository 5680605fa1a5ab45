/** Other folders and drives with models: what is found there is used where it is, and downloads may go there. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import type { FolderImport, ModelFolder } from '../contract/hub.ts';
import { HostError, toFailure } from '../errors.ts';
import type { Database } from '../storage/database.ts';
import { freeBytes } from './freeSpace.ts';
import type { ModelStore, Ownership } from './modelStore.ts';
import { splitName } from './openModelSource.ts';

const folderRow = z.object({ id: z.string(), path: z.string(), receives: z.number() });
/** As deep as publisher/repository/file, and some. */
const deepest = 4;
const mostFiles = 5000;

export class ModelFolders {
  readonly #database: Database;
  readonly #own: string;
  readonly #models: ModelStore;

  constructor(database: Database, own: string, models: ModelStore) {
    this.#database = database;
    this.#own = own;
    this.#models = models;
  }

  async list(): Promise<ModelFolder[]> {
    const rows = this.#rows();
    const others = rows.map(({ id, path, receives }) => ({ id, path, receives: receives === 1 }));
    const own = { id: null, path: this.#own, receives: !others.some(({ receives }) => receives) };
    return Promise.all(
      [own, ...others].map(async ({ id, path, receives }): Promise<ModelFolder> => {
        const there = existsSync(path);
        const models = this.#models.list().filter(({ place }) => (id === null ? place === null : place !== null && isWithin(place, path)));
        return {
          id, path, receives, state: there ? 'ready' : 'missing',
          modelBytes: models.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
          freeBytes: there ? await freeBytes(path) : 0,
        };
      }),
    );
  }

  /** Where downloads go. A drive that is not there must not stop them. */
  receiving(): string {
    const chosen = this.#rows().find(({ receives }) => receives === 1)?.path;
    return chosen !== undefined && existsSync(chosen) ? chosen : this.#own;
  }

  /** Everywhere that downloads may have been begun. */
  all(): string[] {
    return [this.#own, ...this.#rows().map(({ path }) => path)];
  }

  async add(path: string): Promise<FolderImport> {
    const folder = resolve(path);
    const found = await stat(folder).catch(() => null);
    if (!found?.isDirectory()) throw new HostError('folder-not-found', `${folder} is not a folder.`, 'Choose a folder with GGUF files.');
    this.#database.run('INSERT INTO model_folders (id, path, added_at_ms) VALUES (?, ?, ?) ON CONFLICT (path) DO NOTHING', randomUUID(), folder, Date.now());
    return this.importFrom(folder, 'link');
  }

  /** Forgets the folder and the models that are used in it; no file is touched. */
  async remove(folderId: string): Promise<void> {
    const folder = this.#rows().find(({ id }) => id === folderId);
    if (!folder) throw new HostError('folder-not-found', 'This folder is no longer in the list.', 'Look at the list again.');
    for (const { id, place, owned } of this.#models.list()) {
      if (!owned && place !== null && isWithin(place, folder.path)) await this.#models.remove(id);
    }
    this.#database.run('DELETE FROM model_folders WHERE id = ?', folderId);
  }

  /** null: the data folder's own. */
  receive(folderId: string | null): void {
    this.#database.transaction(() => {
      this.#database.run('UPDATE model_folders SET receives = 0');
      if (folderId !== null) this.#database.run('UPDATE model_folders SET receives = 1 WHERE id = ?', folderId);
    });
  }

  /** Looks for what is new in all of them. */
  async scan(): Promise<void> {
    for (const { path } of this.#rows()) if (existsSync(path)) await this.importFrom(path, 'link');
  }

  async importFrom(folder: string, ownership: Extract<Ownership, 'link' | 'copy' | 'keep'>): Promise<FolderImport> {
    const result: FolderImport = { added: [], failed: [] };
    for (const path of await findModels(folder)) {
      const name = path.slice(folder.length + 1);
      try {
        const model = ownership === 'link' ? await this.#models.adoptLinked(path) : await this.#models.importFile(path, name.split(/[\\/]/).at(-1) ?? name, ownership);
        result.added.push(model.id);
      } catch (error) {
        result.failed.push({ name, failure: toFailure(error) });
      }
    }
    return result;
  }

  #rows() {
    return this.#database.all(folderRow, 'SELECT id, path, receives FROM model_folders ORDER BY added_at_ms');
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`) || path.startsWith(`${folder}\\`);
}

/** GGUF files below a folder; of a split model the first part, of what is on its way nothing. */
async function findModels(folder: string, depth = 0): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (found.length >= mostFiles) break;
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth < deepest && !entry.name.startsWith('.')) found.push(...(await findModels(path, depth + 1)));
    const isModel = /\.gguf$/i.test(entry.name) && (splitName(entry.name)?.index ?? 0) === 0;
    // Ollama keeps models by their digest.
    const isBlob = /^sha256-[0-9a-f]{64}$/.test(entry.name) && (await stat(path)).size > 2 ** 20;
    if ((entry.isFile() || entry.isSymbolicLink()) && (isModel || isBlob)) found.push(path);
  }
  return found;
}
