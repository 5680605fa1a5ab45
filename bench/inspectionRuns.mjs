/**
 * The figures of docs/inspector.md on one machine, in one go and within a time: what citations are worth, whether looking
 * inside shows what is hidden, questions for all of something. Each is divided among processes, which a GPU is shared by:
 * most of the time goes into small steps that leave a large one idle. Whatever is stopped goes on with the same command.
 *
 *     node bench/inspectionRuns.mjs --app FOLDER --models FOLDER --data FOLDER --out FOLDER
 *       [--seconds 480] [--processes 4] [--runs citations,smollm2,gemma,exhaustive] [--first SEED] [--small]
 *
 * FOLDER of --app holds host.js and the benches (`dist` with its bench/, or `app` of the GPU pack). --data holds books/
 * and squad/. --first: seeds of the citations' cases. --small: the same runs with a few hundred tokens, to see that
 * everything works. A folder a run: the lines of each process, all of them in all.jsonl, and what they come to in
 * summary.jsonl. The same command with as many processes goes on.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chosenRuns, runArguments, timedRuns } from './timedRuns.mjs';

const { app, models, data, out, seconds, small, runs: wanted, own } = runArguments('citations,smollm2,gemma,exhaustive', { processes: { type: 'string', default: '4' }, first: { type: 'string', default: '1' } });
/** The case that is under way when the time is over has so long to end; then the summaries are made. */
const graceSeconds = 45;
const { program, start, secondsLeft } = timedRuns({ app, out, seconds: seconds + graceSeconds });
const summing = timedRuns({ app, out, seconds: seconds + 2 * graceSeconds });
const processes = small ? 2 : Number(own.processes);

const smol = join(models, 'SmolLM2-135M-Instruct.Q4_1.gguf');
const gemma = join(models, 'gemma-3-270m-q4_k_m.gguf');
const books = ['--books', join(data, 'books')];

/**
 * @param {string} run
 * @param {string[]} words a program of bench/ and its arguments
 * @param {string[]} none arguments with which it begins nothing and only sums up
 */
async function divided(run, words, none) {
  const folder = join(out, run);
  mkdirSync(folder, { recursive: true });
  const shards = Array.from({ length: processes }, (_, shard) => shard);
  const least = Math.max(1, Math.round(secondsLeft() - graceSeconds));
  const shared = (/** @type {number} */ shard) => ['--shard', `${shard}/${processes}`, '--seconds', String(least), '--out', join(folder, `part-${shard}.jsonl`)];
  await Promise.all(shards.map((shard) => start(`${run}/process-${shard}`, [...words, ...shared(shard)])));
  // Those of an earlier call with more processes, too.
  const parts = readdirSync(folder).filter((name) => /^part-\d+\.jsonl$/.test(name));
  const all = join(folder, 'all.jsonl');
  writeFileSync(all, parts.map((name) => readFileSync(join(folder, name), 'utf8')).join(''));
  await summing.start(`${run}/summary`, [...words, ...none, '--out', all]);
}

/**
 * Twelve sentences a document: its strongest heads are then a mean over several answers, as those of the app are.
 * @param {string} model
 * @param {number} tokens
 */
const inspection = (model, tokens) => [program('inspection.js'), '--model', model, ...books, '--tokens', String(small ? 700 : tokens), '--sentences', small ? '3' : '12'];

/** @type {Record<string, () => Promise<unknown>>} */
const runs = {
  citations: () => {
    const squad = ['xquad.en.json', join('squad', 'xquad.en.json')].map((name) => join(data, name)).find((path) => existsSync(path));
    if (!squad) throw new Error(`${join(data, 'squad', 'xquad.en.json')} is not there`);
    const words = [program('citations.js'), '--model', smol, ...books, '--squad', squad, '--tokens', small ? '700' : '2000', '--first', own.first ?? '1'];
    return divided('citations', [...words, '--count', small ? '4' : '240'], ['--count', '0']);
  },
  smollm2: () => divided('smollm2', [...inspection(smol, 6000), '--documents', small ? '2' : '20'], ['--documents', '0']),
  gemma: () => divided('gemma', [...inspection(gemma, 28_000), '--documents', small ? '2' : '20'], ['--documents', '0']),
  exhaustive: () => divided('exhaustive', [program('sweep.js'), '--model', smol, ...books, '--documents', small ? '2' : '20', ...(small ? ['--characters', '9000', '--records', '4'] : [])], ['--documents', '0']),
};

await Promise.all(chosenRuns(runs, wanted).map((run) => run()));
