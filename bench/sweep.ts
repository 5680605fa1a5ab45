/**
 * Questions for all of something on novels with planted records, by the host as it is: each document is gone through,
 * the host closed on the way, opened again, and the list compared with what the same model finds in each window alone.
 * One JSON line a document; the same command goes on where it was stopped, and ends with a summary.
 *
 *     node dist/bench/sweep.js --model M.gguf --books FOLDER --documents 20 --out documents.jsonl
 *       [--question TEXT] [--records 40] [--characters 40000] [--seconds N] [--shard 0/4]
 */
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { defaultSampling } from '../host/contract/entities.ts';
import type { Sweep, SweepItem } from '../host/contract/sweep.ts';
import { generateResult } from '../host/gpu-worker/protocol.ts';
import { type Host, openHost } from '../host/host.ts';
import { modelTarget } from '../host/models/modelTarget.ts';
import { itemsOf, linesOf, windowQuestion } from '../host/sweeps/items.ts';
import { alignment } from '../host/inspector/alignment.ts';
import { mostAnswerTokens } from '../host/sweeps/sweeps.ts';
import { benchWorkerEntry, overlaps, type Place } from './inspection/askAndLook.ts';
import { entriesOf, namingItems, plantedDocument, type PlantedDocument, registerQuestion } from './sweep/planted.ts';
import { type DocumentLine, summarise } from './sweep/summary.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    books: { type: 'string' },
    documents: { type: 'string', default: '20' },
    records: { type: 'string', default: '40' },
    characters: { type: 'string', default: '40000' },
    seconds: { type: 'string' },
    shard: { type: 'string', default: '0/1' },
    question: { type: 'string', default: registerQuestion },
    out: { type: 'string' },
  },
});
if (!values.model || !values.books || !values.out) throw new Error('--model, --books and --out are needed');
const modelPath = values.model;
const outPath = values.out;
const booksFolder = values.books;
const endMs = values.seconds ? performance.now() + 1000 * Number(values.seconds) : Infinity;
const { question } = values;
const [shard, shards] = values.shard.split('/').map(Number);
const books = readdirSync(booksFolder).filter((name) => name.endsWith('.txt')).sort().map((name) => readFileSync(join(booksFolder, name), 'utf8').replaceAll('\r\n', '\n'));
const folder = mkdtempSync(join(tmpdir(), 'longleaf-sweep-'));
const done = new Set(readLines().map(({ document }) => document));

let host = await open();
const model = await host.models.importFile(modelPath, basename(modelPath), 'link');
for (let document = 1; document <= Number(values.documents); document++) {
  if (performance.now() > endMs) break;
  if (done.has(document) || document % shards !== shard) continue;
  const planted = plantedDocument(books[document % books.length], { characters: Number(values.characters), records: Number(values.records) }, document);
  appendFileSync(outPath, `${JSON.stringify(await tryDocument(document, planted))}\n`);
}
const adapter = host.supervisor.status.adapter?.name;
await host.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ model: basename(modelPath), adapter, ...summarise(readLines()) }, null, 1));
process.exit(0);

async function open(): Promise<Host> {
  const opened = await openHost({ dataFolder: join(folder, 'data'), worker: { entry: benchWorkerEntry() } });
  opened.begin();
  return opened;
}

function readLines(): DocumentLine[] {
  return existsSync(outPath) ? readFileSync(outPath, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as DocumentLine) : [];
}

async function tryDocument(document: number, planted: PlantedDocument): Promise<DocumentLine> {
  const startedMs = performance.now();
  const { text, records } = planted;
  const { id: documentId } = await host.documents.addText(`Document ${document}`, text);
  const { id } = await host.sweeps.start({ documentId, modelId: model.id, conversationId: null, question });
  const interruptedAfter = doneOf(await until(id, (sweep) => doneOf(sweep) >= sweep.windows.length / 2));
  await host.close();
  host = await open();
  const sweep = await until(id, ({ state }) => state === 'done' || state === 'failed');
  if (sweep.failure) throw new Error(sweep.failure.message);

  const answers: string[] = [];
  for (const [index, window] of sweep.windows.entries()) answers.push(await askWindow(document, index, text.slice(window.start, window.end)));
  const alone = answers.map((answer, index): SweepItem[] => itemsOf(answer, { text, window: sweep.windows[index], question }));
  // A record is found when a line has all of its words, not when its ship is said to have carried something else.
  const isIn = ({ start, end }: Place, lines: readonly string[]): boolean => lines.some((line) => alignment(text.slice(start, end), line, question) === 1);
  const lines = answers.flatMap((answer) => linesOf(answer));
  const foundAlone = records.filter((record) => isIn(record, lines));
  const swept = sweep.items.map((item) => item.text);
  const given = new Set(alone.flat().map((item) => item.text.toLowerCase()));
  const places = records.flatMap((record) => namingItems(sweep.items, record).flatMap(({ passages }) => passages.filter(({ verified }) => verified).map((place) => overlaps(place, record))));
  return {
    document,
    characters: text.length,
    windows: sweep.windows.length,
    records: records.length,
    foundAlone: foundAlone.length,
    listed: foundAlone.filter((record) => isIn(record, swept)).length,
    listedInAll: records.filter((record) => entriesOf(sweep.items, record).length > 0).length,
    twice: records.filter((record) => entriesOf(sweep.items, record).length > 1).length,
    items: sweep.items.length,
    unverified: sweep.items.filter(({ passages }) => passages.every(({ verified }) => !verified)).length,
    invented: sweep.items.filter((item) => !given.has(item.text.toLowerCase())).length,
    cited: places.length,
    citedRight: places.filter(Boolean).length,
    coverageExact: coversExactly(sweep, text, alone),
    interruptedAfter,
    swept,
    alone: answers,
    seconds: Math.round((performance.now() - startedMs) / 100) / 10,
  };
}

function doneOf({ windows }: Sweep): number {
  return windows.filter(({ state }) => state !== 'waiting').length;
}

async function until(id: string, holds: (sweep: Sweep) => boolean): Promise<Sweep> {
  for (;;) {
    const sweep = host.sweeps.list().find((one) => one.id === id);
    if (sweep && holds(sweep)) return sweep;
    await pause(20);
  }
}

/** What the model says to a window that stands by itself. */
async function askWindow(document: number, index: number, piece: string): Promise<string> {
  const textPath = join(folder, 'window.txt');
  writeFileSync(textPath, piece);
  const prompt = { kind: 'chat' as const, documents: [{ id: `${document}-${index}`, name: `Document ${document}`, textPath }], system: '', history: [], question: windowQuestion(question, 'list') };
  const request = { kind: 'generate' as const, prompt, sampling: { ...defaultSampling, maxTokens: mostAnswerTokens }, stop: [] };
  // As the sweep loads it: with other checks other kernels would be chosen, which round otherwise.
  const target = modelTarget(host.models, model, host.settings.read().kv, null);
  const { text } = await host.session.use(target, {}, () => host.supervisor.run(request, generateResult, {}));
  return text;
}

function coversExactly({ windows }: Sweep, text: string, alone: readonly (readonly SweepItem[])[]): boolean {
  const whole = windows.every(({ start }, i) => start === (windows[i - 1]?.end ?? 0)) && windows.at(-1)?.end === text.length;
  return whole && windows.every(({ state }, i) => state === (alone[i].length > 0 ? 'gave' : 'empty'));
}
