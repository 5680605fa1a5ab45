/**
 * A long document on the command line: read, killed on the way, resumed, read again (which must find everything), asked
 * twice. JSON lines; exit status 1 when something was read again that a segment kept, or two answers differ.
 *
 *     node dist/bench/killedRead.js --host dist/host.js --model M.gguf --text BOOK.txt --context 131072 --kv-gpu BYTES
 *       [--kill-at 0.6] [--question "Who is this about?"] [--out FILE.jsonl]
 */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    host: { type: 'string' },
    model: { type: 'string' },
    text: { type: 'string' },
    context: { type: 'string', default: '131072' },
    'kv-gpu': { type: 'string' },
    'kill-at': { type: 'string', default: '0.6' },
    question: { type: 'string', default: 'Who is this about?' },
    out: { type: 'string' },
  },
});
const { host, model, text } = values;
if (!host || !model || !text || !values['kv-gpu']) throw new Error('--host, --model, --text and --kv-gpu are needed');

type Event = { event: string } & Record<string, unknown>;

interface Outcome {
  events: Event[];
  /** The most tokens that one report of progress added: what is read at once. */
  chunkTokens: number;
  killed: boolean;
  elapsedMs: number;
  firstTokenMs: number | null;
}

const folder = mkdtempSync(join(tmpdir(), 'longleaf-killed-'));
const common = ['--model', model, '--context', values.context, '--kv-gpu', values['kv-gpu'], '--data', folder, '--json'];
let wrong = false;

function tell(line: object): void {
  const words = JSON.stringify({ bench: 'killedRead', ...line });
  console.log(words);
  if (values.out) appendFileSync(values.out, `${words}\n`);
}

/** Runs a command; kills it and its worker when reading has got `killAt` of the way. */
function run(words: string[], killAt: number | null): Promise<Outcome> {
  const startMs = performance.now();
  // A process group of its own, so that the worker dies in the same moment.
  const child = spawn(process.execPath, [String(host), ...words, ...common], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const outcome: Outcome = { events: [], chunkTokens: 0, killed: false, elapsedMs: 0, firstTokenMs: null };
  let held = '';
  const take = (line: string): void => {
    const event = JSON.parse(line) as Event;
    if (event.event === 'token') outcome.firstTokenMs ??= performance.now() - startMs;
    if (event.event === 'progress' && event['phase'] === 'reading' && killAt !== null && !outcome.killed && Number(event['done']) >= killAt * Number(event['total'])) {
      outcome.killed = true;
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    }
    if (event.event === 'progress' && event['phase'] === 'reading') {
      const before = last(outcome, 'progress');
      if (before?.['phase'] === 'reading') outcome.chunkTokens = Math.max(outcome.chunkTokens, Number(event['done']) - Number(before['done']));
    }
    outcome.events.push(event);
  };
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    const lines = (held + piece).split('\n');
    held = lines.pop() ?? '';
    lines.filter(Boolean).forEach(take);
  });
  child.stderr.setEncoding('utf8').on('data', (piece: string) => process.stderr.write(piece));
  return new Promise((resolve) => {
    child.on('close', () => {
      outcome.elapsedMs = performance.now() - startMs;
      resolve(outcome);
    });
  });
}

const last = ({ events }: Outcome, name: string): Event | undefined => events.findLast(({ event }) => event === name);

const first = await run(['read', text], Number(values['kill-at']));
const reached = Number(last(first, 'progress')?.['done'] ?? 0);
tell({ step: 'killed', killed: first.killed, tokensRead: reached, elapsedMs: first.elapsedMs });

const second = await run(['read', text], null);
const resumed = last(second, 'done');
// Segments of 512 tokens are kept when what was read at once is done: the last of that may be on its way to the disk, and
// the chunk after it under way.
const mostReadAgain = 512 + 2 * first.chunkTokens;
const readAgain = reached - Number(resumed?.['keptTokens'] ?? 0);
tell({ step: 'resumed', tokens: resumed?.['tokens'], keptTokens: resumed?.['keptTokens'], readAgain, chunkTokens: first.chunkTokens, readingMs: resumed?.['readingMs'], elapsedMs: second.elapsedMs });

const third = await run(['read', text], null);
const reopened = last(third, 'done');
tell({ step: 'read already', tokens: reopened?.['tokens'], keptTokens: reopened?.['keptTokens'], readingMs: reopened?.['readingMs'], elapsedMs: third.elapsedMs });

const answers: Outcome[] = [];
for (let round = 0; round < 2; round++) {
  const answer = await run(['ask', text, values.question, '--max-tokens', '32', '--temperature', '0'], null);
  answers.push(answer);
  const done = last(answer, 'done');
  tell({ step: 'asked', answer: done?.['text'], usage: done?.['usage'], timings: done?.['timings'], policy: done?.['policy'], firstTokenMs: answer.firstTokenMs, elapsedMs: answer.elapsedMs });
}
rmSync(folder, { recursive: true, force: true });
if (!first.killed) wrong = true;
if (readAgain > mostReadAgain) wrong = true;
if (Number(reopened?.['keptTokens']) < Number(reopened?.['tokens']) - 1) wrong = true;
if (last(answers[0], 'done')?.['text'] === undefined || last(answers[0], 'done')?.['text'] !== last(answers[1], 'done')?.['text']) wrong = true;
tell({ step: 'done', right: !wrong });
process.exit(wrong ? 1 : 0);
