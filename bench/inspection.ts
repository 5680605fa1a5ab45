/**
 * Whether looking inside shows what is known to be there: sentences hidden in stretches of novels, each asked for by
 * itself. One JSON line a question is added to the file as soon as it is known; the same command goes on where it was
 * stopped, ends with a summary, and draws OUT.svg.
 *
 *     node dist/bench/inspection.js --model M.gguf --books FOLDER --tokens 6000 --documents 20 --out lines.jsonl
 *       [--sentences 4]   in each document, and questions about it: what was read is read once
 *       [--seconds N]     begins no question after so long
 *       [--shard 0/4]     only every fourth document
 *
 * For each question: whether it was answered rightly, whether the ribbon's peak and the sentence that most attention falls
 * on are the hidden one, how many nats the answer loses without it and without another stretch of its length, and the
 * copy scores of the heads. The ten strongest heads of a document are those of the mean over its answers, right or wrong.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { readGguf } from '../engine/formats/gguf/readGguf.ts';
import { createTokenizer } from '../engine/tokenizer/createTokenizer.ts';
import { sentencesOf, spanAt } from '../host/inspector/sentences.ts';
import { FileWeightSource } from '../host/models/fileWeightSource.ts';
import { AskAndLook, holds, type LookedAt, overlaps, peakOf, type Place } from './inspection/askAndLook.ts';
import { ablationPlot } from './inspection/ablationPlot.ts';
import { type HiddenSentence, severalHidden } from './inspection/severalHidden.ts';
import { type QuestionLine, summarise } from './inspection/summary.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    books: { type: 'string' },
    tokens: { type: 'string', default: '2000' },
    documents: { type: 'string', default: '20' },
    sentences: { type: 'string', default: '4' },
    seconds: { type: 'string' },
    shard: { type: 'string', default: '0/1' },
    out: { type: 'string' },
  },
});
if (!values.model || !values.books || !values.out) throw new Error('--model, --books and --out are needed');
const outPath = values.out;
const booksFolder = values.books;
const [tokens, documents, sentences] = [Number(values.tokens), Number(values.documents), Number(values.sentences)];
const [shard, shards] = values.shard.split('/').map(Number);
/** Copy scores below this are not noted: hundreds of heads that copy nothing. */
const leastCopy = 0.0001;
const endMs = values.seconds ? performance.now() + 1000 * Number(values.seconds) : Infinity;

const source = await FileWeightSource.open(values.model);
const tokenizer = createTokenizer((await readGguf(source)).metadata);
await source.close();
const books = readdirSync(booksFolder).filter((name) => name.endsWith('.txt')).sort().map((name) => readFileSync(join(booksFolder, name), 'utf8'));
const worker = new AskAndLook(values.model);
const done = new Set(readLines().map(({ document, question }) => `${document} ${question}`));

for (let document = 1; document <= documents; document++) {
  if (document % shards !== shard) continue;
  const { text, sentences: hidden } = severalHidden({ tokenizer, books, tokens, sentences }, document);
  for (const one of hidden) if (performance.now() < endMs && !done.has(`${document} ${one.question}`)) appendFileSync(outPath, `${JSON.stringify(await tryQuestion(document, text, one))}\n`);
}
const summary = { model: basename(values.model), adapter: worker.adapterName, ...summarise(readLines()) };
await worker.close();
const right = readLines().filter(({ correct }) => correct);
writeFileSync(`${outPath}.svg`, ablationPlot(`${basename(values.model)}, ${tokens} tokens, ${right.length} answers`, right));
console.log(JSON.stringify(summary, null, 1));
process.exit(0);

function readLines(): QuestionLine[] {
  return existsSync(outPath) ? readFileSync(outPath, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as QuestionLine) : [];
}

async function tryQuestion(document: number, text: string, hidden: HiddenSentence): Promise<QuestionLine> {
  const startedMs = performance.now();
  const asked = await worker.ask(`${document}`, text, hidden.question);
  const { heads, documents: shown, promptTokens } = asked.evidence;
  const peak = await sentencePeak(asked, text);
  return {
    document,
    tokens: promptTokens,
    question: hidden.question,
    answer: hidden.answer,
    text: asked.text,
    correct: holds(asked.text, hidden.answer),
    blockPeakRight: overlaps(peakOf(shown[0]), hidden),
    sentencePeakRight: overlaps(peak.place, hidden),
    peakShare: peak.share,
    lost: await worker.lostWithout(asked, hidden),
    lostOther: await worker.lostWithout(asked, hidden.other),
    copy: heads.filter(({ kind, copy }) => kind === 'full' && copy >= leastCopy).map(({ layer, head, copy }) => [layer, head, Math.round(copy * 1e4) / 1e4] as const),
    answeringMs: Math.round(asked.answeringMs),
    lookingMs: Math.round(asked.lookingMs),
    seconds: Math.round((performance.now() - startedMs) / 100) / 10,
  };
}

/** The sentence that most attention falls on, and its share of what falls on the document. */
async function sentencePeak(asked: LookedAt, text: string): Promise<{ place: Place; share: number }> {
  const { starts, weights } = await worker.profile(asked);
  const spans = sentencesOf(text);
  const sums = new Float64Array(spans.length);
  for (const [token, weight] of weights.entries()) sums[spanAt(spans, starts[token])] += weight;
  const best = sums.indexOf(Math.max(...sums));
  return { place: spans[best], share: sums[best] / sums.reduce((sum, one) => sum + one, 0) };
}
