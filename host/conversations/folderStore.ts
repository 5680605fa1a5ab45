/** Folders of chats: names, one level. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type Folder, folder } from '../contract/chatEntities.ts';
import { HostError } from '../errors.ts';
import type { Database } from '../storage/database.ts';

const folderRow = z.object({ id: z.string(), name: z.string(), created_at_ms: z.number() });

/** Made once: `localeCompare` makes another for every pair. */
const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

export class FolderStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  names(): string[] {
    return this.#database.all(z.object({ name: z.string() }), 'SELECT DISTINCT name FROM folders').map(({ name }) => name);
  }

  /** By name, as people look for them. */
  list(): Folder[] {
    return this.#database
      .all(folderRow, 'SELECT id, name, created_at_ms FROM folders')
      .map(toFolder)
      .sort((a, b) => byName.compare(a.name, b.name));
  }

  get(folderId: string): Folder {
    const row = this.#database.first(folderRow, 'SELECT id, name, created_at_ms FROM folders WHERE id = ?', folderId);
    if (!row) throw new HostError('folder-not-found', 'This folder no longer exists.', 'Choose or make another.');
    return toFolder(row);
  }

  /** The folder of this name, new where there is none. */
  named(name: string): Folder {
    const row = this.#database.first(folderRow, 'SELECT id, name, created_at_ms FROM folders WHERE name = ? LIMIT 1', name);
    return row ? toFolder(row) : this.create(name);
  }

  create(name: string): Folder {
    const id = randomUUID();
    this.#database.run('INSERT INTO folders (id, name, created_at_ms) VALUES (?, ?, ?)', id, name, Date.now());
    return this.get(id);
  }

  rename(folderId: string, name: string): Folder {
    this.#database.run('UPDATE folders SET name = ? WHERE id = ?', name, folderId);
    return this.get(folderId);
  }

  /** Its chats are in no folder then. */
  remove(folderId: string): void {
    this.get(folderId);
    this.#database.run('DELETE FROM folders WHERE id = ?', folderId);
  }
}

function toFolder({ id, name, created_at_ms: createdAtMs }: z.infer<typeof folderRow>): Folder {
  return folder.parse({ id, name, createdAtMs });
}
