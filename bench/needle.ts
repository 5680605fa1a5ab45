/**
 * A hidden sentence in a stretch of a novel, asked for greedily: our engine beside llama.cpp, on the
 * same tokens in the same run.
 *
 *     node dist/bench/needle.js --model M.gguf --book BOOK.txt --tokens 2000 --count 10 [--style chat|raw]
 *       [--needle code|number|password|parcel] [--peer FOLDER]
 *
 * `--needle` chooses the hidden sentence and its question.
 * `--peer` is a folder whose node_modules holds node-llama-cpp. One JSON line a case, then a summary.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Needle, needles } from './needles.ts';
import { readGguf } from '../engine/formats/gguf/readGguf.ts';
import { seededRandom } from '../engine/formats/quantisation/testing/seededRandom.ts';
import { composePrompt } from '../engine/prompt/composePrompt.ts';
import { choosePromptStyle } from '../engine/prompt/promptStyle.ts';
import { renderTemplateText } from '../engine/prompt/templateText.ts';
import { createTokenizer } from '../engine/tokenizer/createTokenizer.ts';
import { defaultSampling, defaultSettings } from '../host/contract/entities.ts';
import { generateResult, type Prompt } from '../host/gpu-worker/protocol.ts';
import { workerEntry } from '../host/locations.ts';
import { FileWeightSource } from '../host/models/fileWeightSource.ts';
import { ModelSession } from '../host/worker/modelSession.ts';
import { WorkerSupervisor } from '../host/worker/supervisor.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    book: { type: 'string' },
    tokens: { type: 'string', default: '2000' },
    count: { type: 'string', default: '10' },
    style: { type: 'string', default: 'chat' },
    needle: { type: 'string', default: 'code' },
    peer: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});
if (!values.model || !values.book) throw new Error('--model and --book are needed');
const modelPath = values.model;
const makeNeedle = needles[values.needle];
if (!makeNeedle) throw new Error(`--needle is one of ${Object.keys(needles).join(', ')}`);
const excerptTokens = Number(values.tokens);
const count = Number(values.count);
const answerTokens = 24;

interface Case extends Needle {
  index: number;
  depth: number;
  text: string;
}

const source = await FileWeightSource.open(modelPath);
const { metadata } = await readGguf(source);
await source.close();
const tokenizer = createTokenizer(metadata);
const style = choosePromptStyle(metadata, tokenizer);
const folder = mkdtempSync(join(tmpdir(), 'needle-'));
const supervisor = new WorkerSupervisor({ entry: workerEntry() });
const session = new ModelSession(supervisor);
const peer = values.peer ? await loadPeer(values.peer) : null;
const totals = { ours: 0, peer: 0, both: 0, lostByUs: 0 };

for (const hidden of makeCases(readFileSync(values.book, 'utf8'))) {
  const { prompt, tokens } = await compose(hidden);
  const result = await session.use({ id: 'model', path: modelPath, contextTokens: null, boundsChecks: false }, {}, () =>
    supervisor.run({ kind: 'generate', prompt, sampling: { ...defaultSampling, maxTokens: answerTokens }, stop: [] }, generateResult, {}),
  );
  const { statistics } = result;
  if (statistics.promptTokens !== tokens.length) throw new Error(`the worker read ${statistics.promptTokens} tokens, not ${tokens.length}`);
  const ours = found(result.text, hidden.answer);
  const theirText = peer ? await peer(tokens) : null;
  const theirs = theirText === null ? null : found(theirText, hidden.answer);
  if (ours) totals.ours++;
  if (theirs) totals.peer++;
  if (ours && theirs) totals.both++;
  if (theirs && !ours) totals.lostByUs++;
  const { index, depth, answer } = hidden;
  const readTokens = statistics.promptTokens - statistics.reusedTokens;
  console.log(JSON.stringify({ index, depth, answer, promptTokens: tokens.length, ours, theirs, ourText: result.text, theirText, readingTokensPerSecond: (1000 * readTokens) / statistics.readingMs }));
}
console.log(JSON.stringify({ summary: { model: basename(modelPath), book: basename(values.book), excerptTokens, style: values.style, needle: values.needle, count, adapter: supervisor.status.adapter?.name, ...totals } }));
await supervisor.close();
rmSync(folder, { recursive: true });
process.exit(totals.lostByUs > 0 ? 1 : 0);

/** Thousands may be set apart. */
function found(text: string, answer: string): boolean {
  return text.toLowerCase().replaceAll(/(?<=\d),(?=\d)/g, '').includes(answer.toLowerCase());
}

/** Stretches from all over the book, the sentence at depths from the start to the end. */
function* makeCases(book: string): Generator<Case> {
  const random = seededRandom(Number(values.seed));
  for (let index = 0; index < count; index++) {
    const start = Math.floor(random() * (book.length - excerptTokens * 8));
    const { starts } = tokenizer.encodeWithOffsets(book.slice(start, start + excerptTokens * 8));
    const excerpt = book.slice(start, start + starts[Math.min(excerptTokens, starts.length - 1)]);
    const depth = count === 1 ? 0.5 : index / (count - 1);
    const needle = makeNeedle(index, random);
    const place = Math.max(0, excerpt.lastIndexOf('. ', Math.floor(depth * (excerpt.length - 1)))) + 2;
    yield { ...needle, index, depth, text: `${excerpt.slice(0, place)}${needle.sentence} ${excerpt.slice(place)}` };
  }
}

async function compose({ index, question, lead, text }: Case): Promise<{ prompt: Prompt; tokens: readonly number[] }> {
  if (values.style === 'raw') {
    const raw = `${text}\n\nQuestion: ${question}\nAnswer: ${lead}`;
    const bos = tokenizer.addBos && tokenizer.bos !== undefined ? [tokenizer.bos] : [];
    return { prompt: { kind: 'raw', text: raw }, tokens: [...bos, ...tokenizer.encode(raw)] };
  }
  const textPath = join(folder, `${index}.txt`);
  writeFileSync(textPath, text);
  const document = { id: `document-${index}`, name: 'Middlemarch' };
  const rest = { system: defaultSettings.defaultSystemPrompt, history: [], question };
  const composed = await composePrompt(tokenizer, style, { documents: [{ ...document, text }], ...rest }, {
    runTemplate: async (template, context) => renderTemplateText(template, context),
  });
  return { prompt: { kind: 'chat', documents: [{ ...document, textPath }], ...rest }, tokens: composed.tokens };
}

/** llama.cpp on the CPU, greedy, on given tokens. */
async function loadPeer(peerFolder: string): Promise<(tokens: readonly number[]) => Promise<string>> {
  const path = createRequire(join(peerFolder, 'package.json')).resolve('node-llama-cpp');
  const { getLlama } = await import(pathToFileURL(path).href);
  const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error', maxThreads: availableParallelism() });
  const model = await llama.loadModel({ modelPath });
  return async (tokens) => {
    const context = await model.createContext({ contextSize: tokens.length + answerTokens + 64, batchSize: 512, threads: availableParallelism() });
    const made: number[] = [];
    for await (const token of context.getSequence().evaluate(tokens, { temperature: 0 })) {
      if (tokenizer.endTokens.has(token)) break;
      made.push(token);
      if (made.length >= answerTokens) break;
    }
    await context.dispose();
    return tokenizer.decode(made);
  };
}
