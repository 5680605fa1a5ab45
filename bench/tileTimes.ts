/**
 * How long the inspector's maps take on a long prompt: the first tile of an answer by its document, another one of the
 * answer that is then open, and the whole causal triangle.
 *
 *     node dist/bench/tileTimes.js --model M.gguf --text FILE [--context TOKENS] [--answer 16] [--no-triangle] [--out FILE.jsonl]
 *
 * The text should be as long as the window. Times are of the worker's answers, as the window gets them; nothing comes
 * from the cache of tiles. One JSON line.
 */
import { appendFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultSampling } from '../host/contract/entities.ts';
import { type ChatPrompt, generateResult, type InspectionWish, inspectionResults } from '../host/gpu-worker/protocol.ts';
import { ModelSession } from '../host/worker/modelSession.ts';
import { WorkerSupervisor } from '../host/worker/supervisor.ts';
import { benchWorkerEntry } from './inspection/askAndLook.ts';

const { values } = parseArgs({ options: { model: { type: 'string' }, text: { type: 'string' }, answer: { type: 'string', default: '16' }, context: { type: 'string' }, 'no-triangle': { type: 'boolean', default: false }, out: { type: 'string' } } });
if (!values.model || !values.text) throw new Error('--model and --text are needed');
const { model } = values;
/** Cells of a tile each way. */
const cells = 256;

const supervisor = new WorkerSupervisor({ entry: benchWorkerEntry() });
const session = new ModelSession(supervisor);
const prompt: ChatPrompt = { kind: 'chat', documents: [{ id: 'text', name: 'The document', textPath: resolve(values.text) }], system: '', history: [], question: 'What is this about?' };

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const startedMs = performance.now();
  const value = await session.use({ id: 'model', path: resolve(model), contextTokens: values.context ? Number(values.context) : null, boundsChecks: false }, {}, work);
  return { ms: Math.round(performance.now() - startedMs), value };
}

const answered = await timed(() => supervisor.run({ kind: 'generate', prompt, sampling: { ...defaultSampling, temperature: 0, maxTokens: Number(values.answer) }, stop: [] }, generateResult, {}));
const { statistics, text: answer } = answered.value;
const inspect = (wish: InspectionWish & { name: 'tile' | 'triangle' }) => timed(() => supervisor.run({ kind: 'inspect', prompt, answer, wish }, inspectionResults[wish.name], {}));
const tokens = statistics.promptTokens;
const perBucket = 2 ** Math.ceil(Math.log2(tokens / cells));
const rows = { from: 0, to: Number(values.answer), perBucket: 1 };
const first = await inspect({ name: 'tile', heads: 'retrieval', rows, keys: { from: 0, to: tokens, perBucket } });
const nearer = await inspect({ name: 'tile', heads: 'retrieval', rows, keys: { from: 0, to: (cells * perBucket) / 4, perBucket: perBucket / 4 } });
const all = await inspect({ name: 'tile', heads: 'all', rows, keys: { from: 0, to: tokens, perBucket } });
const whole = { from: 0, to: tokens, perBucket };
const triangle = values['no-triangle'] ? null : await inspect({ name: 'triangle', heads: 'retrieval', rows: whole, keys: whole });
const line = {
  what: 'tile times',
  model: basename(model),
  adapter: supervisor.status.adapter?.name,
  promptTokens: tokens,
  answerTokens: statistics.answerTokens,
  readingAndAnsweringMs: answered.ms,
  /** The answer's rows are computed again for it, and every head is looked at to know which ones fetch. */
  firstTileMs: first.ms,
  nearerTileMs: nearer.ms,
  allHeadsTileMs: all.ms,
  triangleMs: triangle?.ms ?? null,
  cells: first.value.columns,
};
console.log(JSON.stringify(line));
if (values.out) appendFileSync(values.out, `${JSON.stringify(line)}\n`);
await supervisor.close();
process.exit(0);
