/**
 * The figures of docs/truth.md and docs/retrieval.md on one machine, in one go and within a time: golden logits, the
 * truth bench on both small models, unlimited budgets against `full`, planted keys, a long reading that is killed, the
 * recall of graphs on a long prompt. Whatever is stopped goes on with the same command.
 *
 *     node bench/truthRuns.mjs --app FOLDER --models FOLDER --data FOLDER --out FOLDER
 *       [--seconds 480] [--runs golden,smollm2,gemma,unlimited,planted,killed,graph] [--small] [--synthetic M.gguf]
 *
 * FOLDER of --app holds host.js and the benches (`dist` with its bench/, or `app` of the GPU pack). --data holds books/
 * and golden/. --small: the same runs with a few hundred tokens, to see that everything works. `--synthetic` is a model
 * file of the shape of Llama 3.2 1B for the long reading. One folder of results a run, and summary.jsonl: how each ended.
 */
import { join } from 'node:path';
import { chosenRuns, runArguments, timedRuns } from './timedRuns.mjs';

const { app, models, data, out, seconds, small, runs: wanted, own } = runArguments('golden,smollm2,gemma,unlimited,planted,killed,graph', { synthetic: { type: 'string' } });
const { program, start, secondsLeft } = timedRuns({ app, out, seconds });

const smol = join(models, 'SmolLM2-135M-Instruct.Q4_1.gguf');
const gemma = join(models, 'gemma-3-270m-q4_k_m.gguf');
const book = (/** @type {string} */ name) => join(data, 'books', name);

/**
 * Five needles and two continuations a document: 20 documents are 100 and 40. What is slow, or only a ceiling, has fewer.
 * @param {string} run
 * @param {string} model
 * @param {number} tokens
 * @param {string[]} more
 */
function truth(run, model, tokens, more) {
  const policies = 'sketch:2%,sketch:5%,flat+estimate:2%,flat+estimate:5%,sketch:0.25%/8,sketch:1%/8,sketch:10%/8,flat:2%/4,clusters:2%/4,clusters:5%/4,quest:5%/4,window/4';
  const common = ['--model', model, '--length', String(small ? 700 : tokens), '--data-sets', data, '--out', join(out, run), '--json'];
  const amounts = ['--policy', small ? 'sketch:2%,window' : policies, '--seeds', small ? '1' : '20', '--seconds', String(Math.max(1, Math.round(secondsLeft()) - 15))];
  return start(`${run}/eval`, [join(app, 'host.js'), 'eval', 'mixed', ...common, ...amounts, ...more]);
}

/** Steps with keys on disk are bound by the processor: one process leaves a large GPU idle. */
const sharing = ['--processes', '5', '--lanes', '2'];

/** @type {Record<string, () => Promise<unknown>>} */
const runs = {
  golden: async () => {
    for (const [name, model] of [['smollm2-135m-instruct-q4_1', smol], ['gemma-3-270m-q4_k_m', gemma]]) {
      await start(`golden/${name}`, [join(app, 'host.js'), 'logits', '--tokens', join(data, 'golden', `${name}.logits.json`), '--model', model, '--json']);
    }
  },
  smollm2: () => truth('smollm2', smol, 6000, small ? ['--kv-gpu', '100%'] : sharing),
  gemma: () => truth('gemma', gemma, 28_000, small ? ['--kv-gpu', '100%'] : sharing),
  unlimited: async () => {
    const texts = ['dracula-345.txt', 'great-expectations-1400.txt', 'ulysses-4300.txt'].slice(0, small ? 1 : 3).flatMap((name) => ['--text', book(name)]);
    for (const model of [smol, gemma]) await start('unlimited/unlimited', [program('unlimited.js'), '--model', model, ...texts, '--tokens', small ? '700' : '2000', '--answer', small ? '8' : '200']);
  },
  planted: async () => {
    const lengths = small ? ['4096'] : ['131072', '1048576'];
    for (const tokens of lengths) {
      const size = small ? ['--layers', '2', '--lengths', '2048,4096', '--gpu-share', '1'] : ['--layers', '16'];
      await start(`planted/planted-${tokens}`, [program('planted.js'), '--tokens', tokens, ...size]);
    }
  },
  killed: () => {
    const [model, context] = small || !own.synthetic ? [smol, small ? 2560 : 8192] : [own.synthetic, 131_072];
    // A quarter of the keys and values of a model of Llama 3.2 1B's shape; SmolLM2 has 46 080 bytes a token.
    const bytes = model === smol ? (46_080 * context) / 4 : (32_768 * context) / 4;
    return start('killed/killed', [program('killedRead.js'), '--host', join(app, 'host.js'), '--model', model, '--text', join(data, small ? 'books/short.txt' : 'books/long.txt'), '--context', String(context), '--kv-gpu', String(Math.floor(bytes))]);
  },
  graph: async () => {
    const dump = join(out, 'graph', 'dump');
    await start('graph/dump', [program('graph.js'), '--dump', dump, '--model', gemma, '--book', book('middlemarch-145.txt'), '--tokens', small ? '2600' : '28000']);
    const layers = small ? ['5'] : ['5', '11', '17'];
    await Promise.all(layers.map((layer) => start(`graph/recall-${layer}`, [program('graph.js'), '--recall', dump, '--layers', layer])));
  },
};

// Truth does not depend on what runs beside it; times do, so whoever wants those asks for one run.
await Promise.all(chosenRuns(runs, wanted).map((run) => run()));
