/**
 * Starts on the data folder of an older version, killed while its database is migrated, some of them several times in a
 * row. After each kill the database and its backups are whole and hold everything; the start after it comes to its end.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { defaultSampling } from '../../contract/entities.ts';
import { Database } from '../../storage/database.ts';
import { listBackups } from '../../storage/backups.ts';
import { migrations } from '../../storage/migrations.ts';
import { eventually } from '../eventually.ts';
import { seededRandom } from '../memoryParts.ts';
import { checkBackups, isWhole } from './checkFolder.ts';
import { type StartLife, firstPage, usable } from './life.ts';

/** Before folders, the search, evidence and sweeps: filling the search takes a while. */
const oldVersion = 4;
const oldConversations = 40;
const oldMessages = 6000;
const mostInARow = 3;
const holder = z.object({ pid: z.number() });
/**
 * A kill falls into a span that begins when the folder is opened: at first most of the time that an undisturbed start took
 * from there. How fast the machine is changes from start to start: after a kill that came too late the span is shorter, else longer.
 */
const firstShare = 0.7;
const afterLate = 0.7;
const afterEarly = 1.1;

export interface MigrationKillsOutcome {
  kills: number;
  /** Of the kills of a host: how many left the database at an older version than this program's, or a backup behind that was not finished. */
  unfinished: number;
  /** A start that migrates and is not killed, and those that finish what a kill has left. */
  undisturbedMs: number[];
  usableMs: number[];
  problems: string[];
}

export async function migrationKills(start: StartLife, root: string, kills: number, seed: number, onKill: (kills: number) => void = () => undefined): Promise<MigrationKillsOutcome> {
  const template = join(root, 'old');
  makeOldFolder(template);
  const random = seededRandom(seed);
  const outcome: MigrationKillsOutcome = { kills: 0, unfinished: 0, undisturbedMs: [], usableMs: [], problems: [] };
  const folder = copyOf(template, root);
  const begunMs = performance.now();
  const undisturbed = start(folder);
  await hasFolder(folder, null);
  const openedMs = performance.now();
  await usable(undisturbed);
  outcome.undisturbedMs.push(performance.now() - begunMs);
  let spanMs = firstShare * (performance.now() - openedMs);
  await undisturbed.quit();
  outcome.problems.push(...(await problemsOf(folder, start)));

  while (outcome.kills < kills) {
    const folder = copyOf(template, root);
    const inARow = 1 + Math.floor(random() * mostInARow);
    for (let count = 0; count < inARow && outcome.kills < kills; count += 1) {
      const before = holderOf(folder);
      const life = start(folder);
      await hasFolder(folder, before);
      await pause(random() * spanMs);
      await life.kill();
      outcome.kills += 1;
      onKill(outcome.kills);
      // A host that has lost its window's process may still be at it: the next start comes at once all the same.
      if (life.root === 'main') continue;
      const seen = lookInside(folder, root);
      if (seen.unfinished) outcome.unfinished += 1;
      spanMs *= seen.unfinished ? afterEarly : afterLate;
      outcome.problems.push(...seen.problems);
      // The next start would have nothing to migrate.
      if (!seen.unfinished) break;
    }
    const begunMs = performance.now();
    const life = start(folder);
    await usable(life);
    outcome.usableMs.push(performance.now() - begunMs);
    await life.quit();
    outcome.problems.push(...(await problemsOf(folder, start)));
    rmSync(join(folder, '..'), { recursive: true });
  }
  return outcome;
}

function makeOldFolder(folder: string): void {
  const backups = join(folder, 'backups');
  mkdirSync(backups, { recursive: true });
  const database = Database.open(join(folder, 'longleaf.sqlite'), backups, migrations.slice(0, oldVersion));
  database.transaction(() => {
    for (let index = 0; index < oldConversations; index += 1) {
      database.run(
        "INSERT INTO conversations (id, title, title_is_automatic, created_at_ms, updated_at_ms, system_prompt, sampling) VALUES (?, ?, 0, ?, ?, '', ?)",
        `chat-${index}`, `Chat ${index} about leaves`, index, index, JSON.stringify(defaultSampling),
      );
    }
    for (let index = 0; index < oldMessages; index += 1) {
      database.run(
        "INSERT INTO messages (id, conversation_id, role, text, state, created_at_ms) VALUES (?, ?, 'user', ?, 'done', ?)",
        `message-${index}`, `chat-${index % oldConversations}`, messageText(index), index,
      );
    }
  });
  database.close();
}

function messageText(index: number): string {
  return Array.from({ length: 20 }, (_, word) => `leaf${(index * 7 + word * 13) % 997}`).join(' ');
}

function copyOf(template: string, root: string): string {
  const folder = join(mkdtempSync(join(root, 'migrating-')), 'data');
  cpSync(template, folder, { recursive: true });
  return folder;
}

/** The process that has the folder, or had it last. */
function holderOf(folder: string): number | null {
  try {
    return holder.parse(JSON.parse(readFileSync(join(folder, 'longleaf.lock.json'), 'utf8'))).pid;
  } catch {
    return null;
  }
}

/** Another process has the folder for itself, and opens the database next. */
async function hasFolder(folder: string, before: number | null): Promise<void> {
  await eventually(() => ![null, before].includes(holderOf(folder)), 60_000);
}

/** In a copy, so that the next start finds what the kill has left. */
function lookInside(folder: string, root: string): { unfinished: boolean; problems: string[] } {
  const copy = copyOf(folder, root);
  try {
    const { version, problems } = contentOf(join(copy, 'longleaf.sqlite'));
    const backups = join(copy, 'backups');
    // One that was not finished has another name, and goes at the next start.
    const begun = checkBackups(backups).some((problem) => problem.includes('.new was left'));
    const damaged = listBackups(backups).flatMap((name) => contentOf(join(backups, name)).problems.map((problem) => `backup ${name}: ${problem}`));
    return { unfinished: version < migrations.length || begun, problems: [...problems, ...damaged] };
  } finally {
    rmSync(join(copy, '..'), { recursive: true });
  }
}

function contentOf(path: string): { version: number; problems: string[] } {
  if (!isWhole(path)) return { version: 0, problems: ['the database is damaged'] };
  const sqlite = new DatabaseSync(path);
  try {
    const version = Number(sqlite.prepare('PRAGMA user_version').get()?.['user_version']);
    const messages = sqlite.prepare('SELECT id, text FROM messages ORDER BY sequence').all();
    const chats = Number(sqlite.prepare('SELECT count(*) AS count FROM conversations').get()?.['count']);
    const areRight = messages.length === oldMessages && messages.every(({ id, text }, index) => id === `message-${index}` && text === messageText(index));
    return { version, problems: [...(areRight ? [] : ['messages are lost or changed']), ...(chats === oldConversations ? [] : ['conversations are lost'])] };
  } finally {
    sqlite.close();
  }
}

/** After a start that was not disturbed: everything is there, is found by the search, and nothing is left over. */
async function problemsOf(folder: string, start: StartLife): Promise<string[]> {
  const { version, problems } = contentOf(join(folder, 'longleaf.sqlite'));
  const life = start(folder);
  const { client } = await usable(life);
  const { conversations } = await client.call('conversations.list', { ...firstPage, limit: 1000 });
  const { messages: found } = await client.call('search.query', { query: 'leaf13', limit: 200 });
  await life.quit();
  return [
    ...problems,
    ...checkBackups(join(folder, 'backups')),
    ...(version === migrations.length ? [] : [`the database is at version ${version}`]),
    ...(conversations.length === oldConversations ? [] : [`${conversations.length} conversations are listed`]),
    ...(found.length > 0 ? [] : ['the search finds nothing']),
  ];
}
