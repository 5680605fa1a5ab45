/**
 * The speed of one machine in one go and within a time: every kernel beside its rivals, golden logits, models beside
 * llama.cpp. What there is no time for is left out and named.
 *
 *     node bench/speedRuns.mjs --app FOLDER --models FOLDER --data FOLDER --out FOLDER [--peer FOLDER]
 *       [--synthetic A.gguf,B.gguf] [--lengths 8192,32768] [--seconds 480] [--runs sweep,golden,models] [--small]
 *
 * FOLDER of --app holds host.js and the benches (`dist` with its bench/, or `app` of the GPU pack). --data holds golden/.
 * --peer's node_modules holds llama.cpp (@fugood/llama.node with its Vulkan package on a GPU). --small: the same runs with
 * a few tokens, to see that everything works. A file of JSON lines a run, and summary.jsonl: how each ended.
 */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, createWriteStream, existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    app: { type: 'string' },
    models: { type: 'string' },
    data: { type: 'string' },
    out: { type: 'string' },
    peer: { type: 'string' },
    synthetic: { type: 'string', default: '' },
    lengths: { type: 'string', default: '8192,32768' },
    seconds: { type: 'string', default: '480' },
    runs: { type: 'string', default: 'sweep,golden,models' },
    small: { type: 'boolean', default: false },
  },
});
const { app, models, data, peer, small } = values;
if (!app || !models || !data || !values.out) throw new Error('--app, --models, --data and --out are needed');
const out = values.out;
mkdirSync(out, { recursive: true });
const endMs = performance.now() + 1000 * Number(values.seconds);
const secondsLeft = () => (endMs - performance.now()) / 1000;
const leastSeconds = 5;

/** @param {object} line */
function note(line) {
  appendFileSync(join(out, 'summary.jsonl'), `${JSON.stringify(line)}\n`);
  console.log(JSON.stringify(line));
}

/** @param {string} name */
function program(name) {
  const nested = join(String(app), 'bench', name);
  return existsSync(nested) ? nested : join(String(app), name);
}

/**
 * Runs a program until it ends or its time is over; what it prints goes to a file.
 * @param {string} name of the file of its output
 * @param {string[]} words
 * @returns {Promise<number | null>} its exit status
 */
function start(name, words) {
  if (secondsLeft() < leastSeconds) {
    note({ name, skipped: 'no time was left' });
    return Promise.resolve(null);
  }
  const startMs = performance.now();
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(createWriteStream(join(out, `${name}.jsonl`)));
  child.stderr.pipe(createWriteStream(join(out, `${name}.log`)));
  const timer = setTimeout(() => child.kill('SIGTERM'), 1000 * secondsLeft());
  return new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      note({ name, status, signal, seconds: Math.round((performance.now() - startMs) / 1000), command: words.map((word) => basename(word)).join(' ') });
      resolve(status);
    });
  });
}

const realModels = { smollm2: 'SmolLM2-135M-Instruct.Q4_1', gemma: 'gemma-3-270m-q4_k_m' };

async function golden() {
  for (const [name, file] of Object.entries(realModels)) {
    const wanted = join(String(data), 'golden', `${file.toLowerCase().replace('.', '-')}.logits.json`);
    const model = join(String(models), `${file}.gguf`);
    if (!existsSync(wanted) || !existsSync(model)) {
      note({ name: `golden-${name}`, skipped: `${existsSync(model) ? wanted : model} is not there` });
      continue;
    }
    const status = await start(`golden-${name}`, [program('host.js'), 'logits', '--tokens', wanted, '--model', model, '--json']);
    if (status !== 0) continue;
    const compare = join(dirname(fileURLToPath(import.meta.url)), 'compareLogits.mjs');
    const { status: verdict, stdout, stderr } = spawnSync(process.execPath, [compare, wanted, join(out, `golden-${name}.jsonl`)], { encoding: 'utf8' });
    for (const line of stdout.split('\n').filter(Boolean)) note({ name: `golden-${name}`, ...JSON.parse(line) });
    if (verdict !== 0) note({ name: `golden-${name}`, failed: stderr.trim().split('\n').at(-1) || 'the logits differ' });
  }
}

async function speeds() {
  const lengths = small ? [48] : values.lengths.split(',').map(Number);
  const files = [...values.synthetic.split(',').filter(Boolean), ...Object.values(realModels).map((file) => join(String(models), `${file}.gguf`))];
  // All models at the first length before any at the next.
  for (const length of lengths) {
    for (const file of files.filter((one) => existsSync(one))) {
      const words = ['bench', '--json', '--model', file, '--prefill', String(length), '--decode', small ? '4' : '64', '--rounds', small ? '1' : '2'];
      await start(`bench-${basename(file, '.gguf')}-${length}`, [program('host.js'), ...words, ...(peer ? ['--peer', peer] : []), ...(small ? ['--no-kernels'] : [])]);
    }
  }
}

const runs = {
  sweep: () => start('sweep', [program('kernelSweep.js'), '--seconds', String(Math.round(secondsLeft() / 2)), ...(small ? ['--small'] : [])]),
  golden,
  models: speeds,
};
for (const name of values.runs.split(',')) {
  const run = runs[/** @type {keyof typeof runs} */ (name)];
  if (!run) throw new Error(`there is no run "${name}"; there are ${Object.keys(runs).join(', ')}`);
  await run();
}
