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
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chosenRuns, runArguments, timedRuns } from './timedRuns.mjs';

const { app, models, data, out, seconds, small, runs: wanted, own } = runArguments('sweep,golden,models', {
  peer: { type: 'string' },
  synthetic: { type: 'string', default: '' },
  lengths: { type: 'string', default: '8192,32768' },
});
const { peer } = own;
const { note, program, start, secondsLeft } = timedRuns({ app, out, seconds });

const realModels = { smollm2: 'SmolLM2-135M-Instruct.Q4_1', gemma: 'gemma-3-270m-q4_k_m' };

async function golden() {
  for (const [name, file] of Object.entries(realModels)) {
    const wanted = join(data, 'golden', `${file.toLowerCase().replace('.', '-')}.logits.json`);
    const model = join(models, `${file}.gguf`);
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
  const lengths = small ? [48] : (own.lengths ?? '').split(',').map(Number);
  const files = [...(own.synthetic ?? '').split(',').filter(Boolean), ...Object.values(realModels).map((file) => join(models, `${file}.gguf`))];
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
for (const run of chosenRuns(runs, wanted)) await run();
