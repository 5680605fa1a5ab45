/**
 * What citations are worth: passages hidden in stretches of novels, asked for, and looked into. One JSON line a case is
 * added to the file as soon as it is known; the same command goes on where it was stopped, and ends with a summary.
 *
 *     node dist/bench/citations.js --model M.gguf --books FOLDER --tokens 6000 --count 200 --out cases.jsonl
 *       [--squad FILE.json]   paragraphs of SQuAD's form (issue: precision of citations); left out, single sentences
 *       [--shard 0/2] [--seconds N] [--first SEED]
 *     node dist/bench/citations.js --regrade cases.jsonl      grades of now, and thresholds fitted on half of the cases
 *
 * For each case: the answer to the question with the passage in the document, its citations, BM25's choice, how much the
 * answer's log-probability falls without the passage and without another one, the ten strongest retrieval heads, where
 * the ribbon's peak is; and the citations of the answer to the same question where the passage was never there.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { readGguf } from '../engine/formats/gguf/readGguf.ts';
import { createTokenizer } from '../engine/tokenizer/createTokenizer.ts';
import type { Citation } from '../host/contract/inspection.ts';
import { surroundingsOf } from '../host/inspector/alignment.ts';
import { sentencesOf } from '../host/inspector/sentences.ts';
import { FileWeightSource } from '../host/models/fileWeightSource.ts';
import { bestByBm25 } from './citations/bm25.ts';
import { regraded } from './citations/regrade.ts';
import { hiddenCase, type HiddenCase } from './citations/hidden.ts';
import { type CaseLine, type Chip, summarise } from './citations/summary.ts';
import { AskAndLook, holds, overlaps, peakOf } from './inspection/askAndLook.ts';
import { strongestHeads } from './inspection/headOverlap.ts';
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
    regrade: { type: 'string' },
  },
});
if (values.regrade) {
  console.log(JSON.stringify(regraded(linesOf(values.regrade)), null, 1));
  process.exit(0);
}
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
const worker = new AskAndLook(modelPath);
const done = new Set(linesOf(outPath).map(({ seed }) => seed));

for (let seed = Number(values.first); seed < Number(values.first) + Number(values.count); seed++) {
  if (performance.now() > endMs) break;
  if (done.has(seed) || seed % shards !== shard) continue;
  const hidden = hiddenCase({ tokenizer, books, tokens: Number(values.tokens), paragraphs }, seed);
  appendFileSync(outPath, `${JSON.stringify(await tryCase(hidden))}\n`);
}
console.log(JSON.stringify({ model: basename(modelPath), tokens: Number(values.tokens), squad: values.squad !== undefined, adapter: worker.adapterName, ...summarise(linesOf(outPath)) }, null, 1));
await worker.close();
process.exit(0);

/** Without the line of a kept file that says where it comes from. */
function linesOf(path: string): CaseLine[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as CaseLine).filter((line) => 'seed' in line) : [];
}

async function tryCase(hidden: HiddenCase): Promise<CaseLine> {
  const { seed, question, answer, text, start, end, other } = hidden;
  const startedMs = performance.now();
  const there = await worker.ask(`${seed}-there`, text, question);
  const { citations, documents, heads } = there.evidence;
  const sentences = sentencesOf(text);
  const byWords = bestByBm25(`${question} ${there.text}`, sentences.map((one) => text.slice(one.start, one.end)));
  const lost = await worker.lostWithout(there, { start, end });
  const lostOther = await worker.lostWithout(there, other);
  const gone = await worker.ask(`${seed}-gone`, hidden.without, question);
  return {
    seed,
    question,
    answer,
    text: there.text,
    correct: holds(there.text, answer),
    chips: citations.map((one) => chipOf(one, there.text, text, overlaps(one.passage, hidden))),
    bm25Right: byWords >= 0 && overlaps(sentences[byWords], hidden),
    peakRight: overlaps(peakOf(documents[0]), hidden),
    lost,
    lostOther,
    heads: strongestHeads(heads),
    goneText: gone.text,
    goneCorrect: holds(gone.text, answer),
    goneChips: gone.evidence.citations.map((one) => chipOf(one, gone.text, hidden.without, false)),
    seconds: Math.round((performance.now() - startedMs) / 100) / 10,
  };
}

function chipOf({ grade, passage, claim, alignment, drop }: Citation, answer: string, text: string, right: boolean): Chip {
  const around = passage ? surroundingsOf(text, passage) : '';
  return { grade, right, share: passage?.share ?? 0, alignment, drop, claim: answer.slice(claim.start, claim.end), passage: passage ? text.slice(passage.start, passage.end) : '', around };
}
