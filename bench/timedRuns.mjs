/**
 * Programs one after the other or beside each other within a time, for the benches that do everything on one machine in
 * one go: what a program prints goes to a file, how each ended to summary.jsonl.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, createWriteStream, existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

/** With less time than this no program begins. */
const leastSeconds = 5;

/**
 * What every such bench is told, and the options that it has besides.
 * @template {Record<string, { type: 'string', default?: string }>} More
 * @param {string} runs all of them, with commas between them
 * @param {More} more
 */
export function runArguments(runs, more) {
  const { values } = parseArgs({
    options: {
      app: { type: 'string' },
      models: { type: 'string' },
      data: { type: 'string' },
      out: { type: 'string' },
      seconds: { type: 'string', default: '480' },
      runs: { type: 'string', default: runs },
      small: { type: 'boolean', default: false },
      ...more,
    },
  });
  const { app, models, data, out, seconds, small, runs: chosen } = /** @type {Record<string, string | undefined> & { small: boolean }} */ (values);
  if (!app || !models || !data || !out) throw new Error('--app, --models, --data and --out are needed');
  const own = /** @type {{ [Name in keyof More]?: string }} */ (values);
  return { app, models, data, out, seconds: Number(seconds), small, runs: chosen ?? runs, own };
}

/**
 * @param {{ app: string, out: string, seconds: number }} options `app` holds host.js and the benches: `dist` with its
 *   bench/, or `app` of the GPU pack. Results go to `out`.
 */
export function timedRuns({ app, out, seconds }) {
  mkdirSync(out, { recursive: true });
  const endMs = performance.now() + 1000 * seconds;
  const secondsLeft = () => Math.max(0, (endMs - performance.now()) / 1000);

  /** @param {object} line */
  function note(line) {
    appendFileSync(join(out, 'summary.jsonl'), `${JSON.stringify(line)}\n`);
    console.log(JSON.stringify(line));
  }

  /** @param {string} name */
  function program(name) {
    const nested = join(app, 'bench', name);
    return existsSync(nested) ? nested : join(app, name);
  }

  /**
   * Runs a program until it ends or the time is over.
   * @param {string} name of its output, below `out`, without `.jsonl`; output is added to what is there
   * @param {string[]} words its file and arguments
   * @returns {Promise<number | null>} its exit status; null when it was stopped or did not begin
   */
  function start(name, words) {
    if (secondsLeft() < leastSeconds) {
      note({ name, skipped: 'no time was left' });
      return Promise.resolve(null);
    }
    mkdirSync(join(out, name, '..'), { recursive: true });
    const startMs = performance.now();
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.pipe(createWriteStream(join(out, `${name}.jsonl`), { flags: 'a' }));
    child.stderr.pipe(createWriteStream(join(out, `${name}.log`), { flags: 'a' }));
    const timer = setTimeout(() => child.kill('SIGTERM'), 1000 * secondsLeft());
    return new Promise((resolve) => {
      child.on('close', (status, signal) => {
        clearTimeout(timer);
        note({ name, status, signal, seconds: Math.round((performance.now() - startMs) / 1000), command: words.map((word) => basename(word)).join(' ') });
        resolve(status);
      });
    });
  }

  return { note, program, start, secondsLeft };
}

/**
 * The runs that were asked for, in the order of the list.
 * @template Run
 * @param {Record<string, Run>} runs
 * @param {string} list names with commas between them
 * @returns {Run[]}
 */
export function chosenRuns(runs, list) {
  return list.split(',').map((name) => {
    const run = runs[name];
    if (!run) throw new Error(`there is no run "${name}"; there are ${Object.keys(runs).join(', ')}`);
    return run;
  });
}
