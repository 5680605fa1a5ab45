/** The one SQLite database. Every row that is read passes a schema. */
import { closeSync, existsSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import * as z from 'zod';
import { HostError } from '../errors.ts';
import { backUp, isBackupDue, listBackups, renewBackups } from './backups.ts';
import { searchWords } from '../search/words.ts';
import { CheckNote } from './checkNote.ts';
import { migrations } from './migrations.ts';
import { storageFailure } from './storageFailure.ts';

const versionRow = z.object({ user_version: z.number().int() });

type Parameters = SQLInputValue[];

export class Database {
  readonly #sqlite: DatabaseSync;
  readonly #folder: string;
  readonly #check: CheckNote | undefined;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(sqlite: DatabaseSync, folder: string, check?: CheckNote) {
    this.#sqlite = sqlite;
    this.#folder = folder;
    this.#check = check;
  }

  /** Opens, checks and, when the schema is older than this program, backs up and migrates. */
  static open(path: string, backupFolder: string, steps: readonly string[] = migrations): Database {
    const folder = dirname(path);
    // SQLite gives its side files the mode of the database.
    told(folder, () => closeSync(openSync(path, 'a', 0o600)));
    const check = new CheckNote(path);
    const isKnownToBeSound = check.holds();
    const sqlite = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
    try {
      sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
      // Triggers of the search call it.
      sqlite.function('search_words', { deterministic: true }, (text) => searchWords(String(text)));
      if (!isKnownToBeSound) {
        checkIntegrity(sqlite);
        check.begin();
      }
      migrate(sqlite, backupFolder, steps);
    } catch (error) {
      sqlite.close();
      throw error instanceof HostError ? error : (storageFailure(folder, error) ?? damaged(path, backupFolder, error));
    }
    return new Database(sqlite, folder, check);
  }

  /** Whether opening would have to migrate; such a database needs the instance lock. */
  static isCurrent(path: string): boolean {
    if (!existsSync(path)) return false;
    try {
      const sqlite = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
      try {
        return schemaVersion(sqlite) === migrations.length;
      } finally {
        sqlite.close();
      }
    } catch {
      return false;
    }
  }

  all<T>(row: z.ZodType<T>, sql: string, ...parameters: Parameters): T[] {
    return this.#prepared(sql)
      .all(...parameters)
      .map((found) => row.parse(found));
  }

  first<T>(row: z.ZodType<T>, sql: string, ...parameters: Parameters): T | undefined {
    // A statement that writes may return rows too.
    const found = told(this.#folder, () => this.#prepared(sql).get(...parameters));
    return found === undefined ? undefined : row.parse(found);
  }

  /** Returns how many rows changed. */
  run(sql: string, ...parameters: Parameters): number {
    return told(this.#folder, () => Number(this.#prepared(sql).run(...parameters).changes));
  }

  transaction<T>(work: () => T): T {
    told(this.#folder, () => this.#sqlite.exec('BEGIN IMMEDIATE'));
    try {
      const result = work();
      told(this.#folder, () => this.#sqlite.exec('COMMIT'));
      return result;
    } catch (error) {
      // A full disk has ended it already.
      if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK');
      throw error;
    }
  }

  /** Copies the database into `folder`. */
  backUp(folder: string): void {
    told(this.#folder, () => renewBackups(this.#sqlite, folder, schemaVersion(this.#sqlite)));
  }

  /** Copies the database into `folder`, if a copy is due. */
  backUpIfDue(folder: string): void {
    if (isBackupDue(folder)) told(this.#folder, () => renewBackups(this.#sqlite, folder, schemaVersion(this.#sqlite)));
  }

  close(): void {
    this.#statements.clear();
    this.#sqlite.close();
    this.#check?.keep();
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#sqlite.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** Does `work`; that the disk is full or read-only is told in our words. */
function told<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storageFailure(folder, error) ?? error;
  }
}

function schemaVersion(sqlite: DatabaseSync): number {
  return versionRow.parse(sqlite.prepare('PRAGMA user_version').get()).user_version;
}

function checkIntegrity(sqlite: DatabaseSync): void {
  const problems = z
    .array(z.object({ integrity_check: z.string() }))
    .parse(sqlite.prepare('PRAGMA integrity_check(3)').all())
    .map((row) => row.integrity_check);
  if (problems.length !== 1 || problems[0] !== 'ok') throw new Error(problems.join('; '));
}

function migrate(sqlite: DatabaseSync, backupFolder: string, steps: readonly string[]): void {
  const from = schemaVersion(sqlite);
  if (from > steps.length) {
    throw new HostError(
      'database-newer',
      `The data folder was written by a newer Longleaf (schema ${from}; this one knows ${steps.length}).`,
      'Open it with the newer version, or start this one on another folder with --data FOLDER.',
    );
  }
  if (from === steps.length) return;
  if (from > 0) backUp(sqlite, backupFolder, from);
  for (let version = from; version < steps.length; version += 1) {
    sqlite.exec(`BEGIN IMMEDIATE; ${steps[version]}; PRAGMA user_version = ${version + 1}; COMMIT`);
  }
}

function damaged(path: string, backupFolder: string, cause: unknown): HostError {
  const newest = listBackups(backupFolder).at(-1);
  return new HostError(
    'database-damaged',
    `The database ${path} is damaged (${cause instanceof Error ? cause.message : String(cause)}).`,
    newest
      ? `“longleaf restore” puts the backup ${join(backupFolder, newest)} in its place and keeps the damaged one beside it.`
      : 'Move it away to start with an empty one, and keep it: sqlite3 may recover its messages with “.recover”.',
    { cause },
  );
}
