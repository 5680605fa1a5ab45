/**
 * 10,000 chats with 200,000 messages: how long the list, a search and the start of the host take, beside an empty
 * library; how large the index is, beside SQLite's trigram index.
 *
 *     node dist/bench/library.js [--chats N] [--messages N] [--keep FOLDER]
 *
 * Prints one JSON object. `--keep` leaves the library in FOLDER/full and an empty one in FOLDER/empty, for
 * bench/libraryStart.mjs.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { defaultSampling } from '../host/contract/entities.ts';
import { type Host, openHost } from '../host/host.ts';
import { searchWords } from '../host/search/words.ts';

const { values } = parseArgs({
  options: { chats: { type: 'string', default: '10000' }, messages: { type: 'string', default: '200000' }, keep: { type: 'string' } },
});
const chats = Number(values.chats);
const perChat = Math.max(2, Math.round(Number(values.messages) / chats));
const root = values.keep ?? mkdtempSync(join(tmpdir(), 'longleaf-library-'));
const text = readFileSync('assets/sample/alice-in-wonderland-chapter-1.txt', 'utf8') + readFileSync('e2e/data/middlemarch-excerpt.txt', 'utf8');

/** The words of two books, and of every message one that no other has. */
function words(seed: number, characters: number): string {
  const start = (seed * 7919) % (text.length - characters);
  return `${text.slice(start, start + characters)} mark${seed}`;
}

/** One chat that is as long as fifty others, with formulas and code. */
function fillLongChat(host: Host): void {
  const updatedAtMs = Date.now();
  host.conversations.put({ id: 'long', title: 'A thousand messages', titleIsAutomatic: false, createdAtMs: updatedAtMs, updatedAtMs, modelId: null, documentIds: [], systemPrompt: '', sampling: defaultSampling, policy: null, folderId: null, pinned: false });
  const messages = Array.from({ length: 1000 }, (_, index) => ({
    state: 'complete' as const,
    failure: null,
    statistics: null,
    id: `long-${index}`,
    parentId: index === 0 ? null : `long-${index - 1}`,
    role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
    text: index % 2 === 0 ? words(index, 80) : `${words(index, 400)}\n\n- one\n- $x_{${index}}^2$\n\n${index % 10 === 1 ? `\`\`\`python\ndef f(x):\n    return x + ${index}\n\`\`\`\n` : ''}${words(index + 1, 300)}`,
    modelName: index % 2 === 0 ? null : 'Model',
    createdAtMs: updatedAtMs + index,
  }));
  host.database.transaction(() => host.messages.putAll('long', messages, 'long-999'));
}

function fill(host: Host): void {
  const firstMs = Date.UTC(2024, 0, 1);
  const base = { state: 'complete' as const, failure: null, statistics: null };
  for (let first = 0; first < chats; first += 100) host.database.transaction(() => {
    for (let chat = first; chat < Math.min(chats, first + 100); chat += 1) {
      const id = `chat-${chat}`;
      const updatedAtMs = firstMs + chat * 3_600_000;
      const title = words(chat, 30).replaceAll(/\s+/g, ' ');
      host.conversations.put({ id, title, titleIsAutomatic: false, createdAtMs: updatedAtMs, updatedAtMs, modelId: null, documentIds: [], systemPrompt: '', sampling: defaultSampling, policy: null, folderId: null, pinned: false });
      const messages = Array.from({ length: perChat }, (_, index) => {
        const isQuestion = index % 2 === 0;
        return {
          ...base,
          id: `message-${chat}-${index}`,
          parentId: index === 0 ? null : `message-${chat}-${index - 1}`,
          role: isQuestion ? ('user' as const) : ('assistant' as const),
          text: words(chat * perChat + index, isQuestion ? 80 : 600),
          modelName: isQuestion ? null : 'Model',
          createdAtMs: updatedAtMs + index,
        };
      });
      host.messages.putAll(id, messages, `message-${chat}-${perChat - 1}`);
    }
  });
}

/** Milliseconds of the 50th and 95th of a hundred. */
async function percentiles(times: number, work: (turn: number) => unknown): Promise<{ p50Ms: number; p95Ms: number }> {
  const taken: number[] = [];
  for (let turn = 0; turn < times; turn += 1) {
    const startMs = performance.now();
    await work(turn);
    taken.push(performance.now() - startMs);
  }
  taken.sort((a, b) => a - b);
  const at = (share: number) => round(taken[Math.min(taken.length - 1, Math.floor(share * taken.length))] ?? 0);
  return { p50Ms: at(0.5), p95Ms: at(0.95) };
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

async function startMs(dataFolder: string): Promise<number> {
  const taken: number[] = [];
  for (let turn = 0; turn < 7; turn += 1) {
    const before = performance.now();
    const host = await openHost({ dataFolder });
    // What the window asks for before it shows anything.
    host.handlers['app.status']({});
    host.handlers['folders.list']({});
    host.handlers['conversations.list']({ folderId: null, before: null, limit: 200 });
    taken.push(performance.now() - before);
    await host.close();
  }
  return round(taken.sort((a, b) => a - b)[3] ?? 0);
}

/** The same messages in SQLite's trigram index. */
async function trigram(host: Host): Promise<{ bytes: number; fillMs: number; rare: object; common: object }> {
  const path = join(root, 'trigram.sqlite');
  const database = new DatabaseSync(path);
  const source = new DatabaseSync(host.folder.database, { readOnly: true });
  database.exec("PRAGMA journal_mode = WAL; CREATE VIRTUAL TABLE words USING fts5(text, content='', contentless_delete=1, tokenize='trigram')");
  const before = performance.now();
  database.exec('BEGIN');
  const insert = database.prepare('INSERT INTO words (rowid, text) VALUES (?, ?)');
  for (const row of source.prepare('SELECT sequence, text FROM messages').iterate()) insert.run(row['sequence'] as number, row['text'] as string);
  database.exec('COMMIT');
  const fillMs = Math.round(performance.now() - before);
  const found = database.prepare('SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT 20');
  const rare = await percentiles(100, (turn) => found.all(`"mark${turn * 97}"`));
  const common = await percentiles(100, (turn) => found.all(`"${['rabbit', 'Alice', 'the', 'Dorothea', 'said'][turn % 5]}"`));
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  source.close();
  const { size: bytes } = statSync(path);
  rmSync(path);
  return { bytes, fillMs, rare, common };
}

function indexBytes(host: Host): number {
  const database = new DatabaseSync(host.folder.database, { readOnly: true });
  const row = database.prepare("SELECT sum(length(block)) AS bytes FROM message_index_data").get();
  database.close();
  return Number(row?.['bytes'] ?? 0);
}

for (const name of ['full', 'empty']) mkdirSync(join(root, name), { recursive: true });
const host = await openHost({ dataFolder: join(root, 'full') });
const fillFrom = performance.now();
if (!host.conversations.any()) {
  fill(host);
  fillLongChat(host);
}
const fillSeconds = round((performance.now() - fillFrom) / 1000);
const search = (query: string) => host.handlers['search.query']({ query, limit: 20 });
const common = ['alice', 'the', 'rabbit hole', 'dorothea', 'said the', 'miss brooke', 'a', 'was very'];
const list = {
  firstPage: await percentiles(100, () => host.handlers['conversations.list']({ folderId: null, before: null, limit: 200 })),
  laterPage: await percentiles(100, (turn) => host.handlers['conversations.list']({ folderId: null, before: { updatedAtMs: Date.UTC(2024, 0, 1) + turn * 97 * 3_600_000, id: 'chat' }, limit: 200 })),
  messagesOfOne: await percentiles(100, (turn) => host.handlers['conversations.messages']({ conversationId: `chat-${(turn * 97) % chats}` })),
};
const searches = {
  rareWord: await percentiles(100, (turn) => search(`mark${turn * 1999}`)),
  commonWords: await percentiles(100, (turn) => search(common[turn % common.length] ?? '')),
  wordBeingTyped: await percentiles(100, (turn) => search(['al', 'th', 'rab', 'wh', 'mark12'][turn % 5] ?? '')),
  phrase: await percentiles(100, () => search('"down the rabbit-hole"')),
  nothing: await percentiles(100, (turn) => search(`zzyzx${turn}`)),
};
const words61 = { bytes: indexBytes(host), splitMs: round((await percentiles(100, (turn) => searchWords(words(turn, 600)))).p50Ms) };
const trigramIndex = await trigram(host);
await host.close();
const databaseBytes = statSync(join(root, 'full', 'longleaf.sqlite')).size;
const start = { emptyMs: await startMs(join(root, 'empty')), fullMs: await startMs(join(root, 'full')) };

console.log(
  JSON.stringify(
    { chats, messages: chats * perChat, processor: cpus()[0]?.model, databaseBytes, fillSeconds, list, search: searches, index: { unicode61: words61, trigram: trigramIndex }, startOfHost: { ...start, ratio: round(start.fullMs / start.emptyMs) } },
    null,
    2,
  ),
);
if (values.keep === undefined) rmSync(root, { recursive: true, force: true });
