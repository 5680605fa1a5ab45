/**
 * What citations are worth: passages hidden in stretches of novels, asked for, and looked into. One JSON line a case is
 * added to the file as soon as it is known; the same command goes on where it was stopped, and ends with a summary.
 *
 *     node dist/bench/citations.js --model M.gguf --books FOLDER --tokens 6000 --count 200 --out cases.jsonl
 *       [--squad FILE.json]   paragraphs of SQuAD's form (issue: precision of citations); left out, single sentences
 *       [--shard 0/2] [--seconds N] [--first SEED]
 *
 * For each case: the answer to the question with the passage in the document, its citations, BM25's choice, how much the
 * answer's log-probability falls without the passage and without another one, the ten strongest retrieval heads, where
 * the ribbon's peak is; and the citations of the answer to the same question where the passage was never there.
 */
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { readGguf } from '../engine/formats/gguf/readGguf.ts';
import { createTokenizer } from '../engine/tokenizer/createTokenizer.ts';
import { defaultSampling } from '../host/contract/entities.ts';
import type { AnswerEvidence } from '../host/contract/inspection.ts';
import { type ChatPrompt, generateResult, inspectionResults } from '../host/gpu-worker/protocol.ts';
import { contentWords } from '../host/inspector/alignment.ts';
import { sentencesOf } from '../host/inspector/sentences.ts';
import { workerEntry } from '../host/locations.ts';
import { FileWeightSource } from '../host/models/fileWeightSource.ts';
import { ModelSession } from '../host/worker/modelSession.ts';
import { WorkerSupervisor } from '../host/worker/supervisor.ts';
import { bestByBm25 } from './citations/bm25.ts';
import { hiddenCase, type HiddenCase } from './citations/hidden.ts';
import { type CaseLine, summarise } from './citations/summary.ts';
import { parseParagraphs } from './truth/suites/questionSets.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    books: { type: 'string' },
    squad: { type: 'string' },
    tokens: { type: 'string', default: '2000' },
    count: { type: 'string', default: '10' },
    first: { type: 'string', default: '1' },
    shard: { type: 'string', default: '0/1' },
    seconds: { type: 'string' },
    out: { type: 'string' },
  },
});
if (!values.model || !values.books || !values.out) throw new Error('--model, --books and --out are needed');
const modelPath = values.model;
const outPath = values.out;
const endMs = values.seconds ? performance.now() + 1000 * Number(values.seconds) : Infinity;
const [shard, shards] = values.shard.split('/').map(Number);

const source = await FileWeightSource.open(modelPath);
const tokenizer = createTokenizer((await readGguf(source)).metadata);
await source.close();
const booksFolder = values.books;
const books = readdirSync(booksFolder).filter((name) => name.endsWith('.txt')).sort().map((name) => readFileSync(join(booksFolder, name), 'utf8'));
const paragraphs = values.squad ? parseParagraphs(readFileSync(values.squad, 'utf8')) : null;
const folder = mkdtempSync(join(tmpdir(), 'citations-'));
// In the pack for GPU machines the worker lies beside this program, in a build a folder above.
const besideMe = workerEntry();
const supervisor = new WorkerSupervisor({ entry: existsSync(besideMe) ? besideMe : join(dirname(besideMe), '..', basename(besideMe)) });
const session = new ModelSession(supervisor);
const done = new Set(readLines().map(({ seed }) => seed));

for (let seed = Number(values.first); seed < Number(values.first) + Number(values.count); seed++) {
  if (performance.now() > endMs) break;
  if (done.has(seed) || seed % shards !== shard) continue;
  const hidden = hiddenCase({ tokenizer, books, tokens: Number(values.tokens), paragraphs }, seed);
  appendFileSync(outPath, `${JSON.stringify(await tryCase(hidden))}\n`);
}
await supervisor.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ model: basename(modelPath), tokens: Number(values.tokens), squad: values.squad !== undefined, adapter: supervisor.status.adapter?.name, ...summarise(readLines()) }, null, 1));
process.exit(0);

function readLines(): CaseLine[] {
  return existsSync(outPath) ? readFileSync(outPath, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as CaseLine) : [];
}

async function tryCase(hidden: HiddenCase): Promise<CaseLine> {
  const { seed, question, answer, text, start, end, other } = hidden;
  const startedMs = performance.now();
  const there = await ask(hidden, text);
  const correct = holds(there.text, answer);
  const { evidence } = there;
  const { citations, documents, heads } = evidence;
  const overlaps = (passage: { start: number; end: number } | null): boolean => passage !== null && passage.start < end && passage.end > start;
  const sentences = sentencesOf(text);
  const byWords = bestByBm25(`${question} ${there.text}`, sentences.map((one) => text.slice(one.start, one.end)));
  const lost = await withoutPassage(there.prompt, there.text, { start, end });
  const lostOther = await withoutPassage(there.prompt, there.text, other);
  const gone = await ask(hidden, hidden.without);
  return {
    seed,
    question,
    answer,
    text: there.text,
    correct,
    chips: citations.map(({ grade, passage, alignment, drop }) => ({ grade, right: overlaps(passage), share: passage?.share ?? 0, alignment, drop })),
    bm25Right: byWords >= 0 && overlaps(sentences[byWords]),
    peakRight: overlaps(peakOf(documents[0])),
    lost,
    lostOther,
    heads: [...heads].filter(({ kind }) => kind === 'full').sort((a, b) => b.copy - a.copy).slice(0, 10).map(({ layer, head, copy }) => [layer, head, Math.round(copy * 1000) / 1000] as const),
    goneText: gone.text,
    goneCorrect: holds(gone.text, answer),
    goneChips: gone.evidence.citations.map(({ grade, passage, alignment, drop }) => ({ grade, right: false, share: passage?.share ?? 0, alignment, drop })),
    seconds: Math.round((performance.now() - startedMs) / 100) / 10,
  };
}

async function ask({ seed, question }: HiddenCase, text: string): Promise<{ prompt: ChatPrompt; text: string; evidence: AnswerEvidence }> {
  const textPath = join(folder, 'document.txt');
  writeFileSync(textPath, text);
  // The worker keeps the tokens of documents by their ids.
  const prompt: ChatPrompt = { kind: 'chat', documents: [{ id: `${seed}-${text.length}`, name: 'The document', textPath }], system: '', history: [], question };
  return use(async () => {
    const answered = await supervisor.run({ kind: 'generate', prompt, sampling: { ...defaultSampling, maxTokens: 40 }, stop: [] }, generateResult, {});
    const evidence = await supervisor.run({ kind: 'inspect', prompt, answer: answered.text, wish: { name: 'evidence' } }, inspectionResults.evidence, {});
    return { prompt, text: answered.text, evidence };
  });
}

/** Nats that the whole answer loses. */
async function withoutPassage(prompt: ChatPrompt, answer: string, passage: { start: number; end: number }): Promise<number> {
  const documentId = prompt.documents[0].id;
  const { before, after } = await use(() => supervisor.run({ kind: 'inspect', prompt, answer, wish: { name: 'ablation', documentId, ...passage } }, inspectionResults.ablation, {}));
  return before.reduce((sum, logprob, i) => sum + logprob - after[i], 0);
}

function use<T>(work: () => Promise<T>): Promise<T> {
  return session.use({ id: 'model', path: modelPath, contextTokens: null }, {}, work);
}

/** The characters of the block that most attention falls on. */
function peakOf({ blocks, blockStarts }: AnswerEvidence['documents'][number]): { start: number; end: number } {
  const shares = new Float32Array(Uint8Array.from(Buffer.from(blocks, 'base64')).buffer);
  const columns = blockStarts.length - 1;
  const sums = new Float64Array(columns);
  for (const [i, share] of shares.entries()) sums[i % columns] += share;
  // The first block holds the sinks.
  const peak = sums.reduce((best, sum, i) => (i > 0 && sum > sums[best] ? i : best), Math.min(1, columns - 1));
  return { start: blockStarts[peak], end: blockStarts[peak + 1] };
}

/** Whether the answer's words are in a text, in any order of its own. */
function holds(text: string, answer: string): boolean {
  const words = new Set(contentWords(text));
  const wanted = contentWords(answer);
  return wanted.length > 0 && wanted.every((word) => words.has(word));
}
