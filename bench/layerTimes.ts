/**
 * What each kind of layer costs a decoded token, by how long the context is. Layers of constant state should cost the
 * same at any length, layers that see everything more the longer it is.
 *
 *     node dist/bench/layerTimes.js --model M.gguf [--lengths 8192,32768,131072,262144] [--kv-budget BYTES] [--rounds 3]
 *
 * Prints one JSON line a length and round: milliseconds of a step's kernels. The context is not read first: keys, values
 * and states hold whatever lies there, which changes no time.
 */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { timeEncoding } from '../engine/measure/timing.ts';
import { loadModel } from '../engine/model.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { FileWeightSource } from '../host/models/fileWeightSource.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    lengths: { type: 'string', default: '8192,32768,131072,262144' },
    'kv-budget': { type: 'string', default: String(24 * 2 ** 30) },
    rounds: { type: 'string', default: '3' },
  },
});
if (!values.model) throw new Error('--model is needed');
const lengths = values.lengths.split(',').map(Number);
const device = await openAdapter({ boundsChecks: false });
const source = await FileWeightSource.open(values.model);
const contextTokens = Math.max(...lengths) + 1;
const { runner } = await loadModel(device, source, { contextTokens, kvBudgetBytes: Number(values['kv-budget']), choices: new Map() });

const linear = ['linear projections', 'short convolution', 'linear gates', 'unit heads', 'recurrence', 'gated norm'];
const attention = ['query, key, value', 'rotary and store', 'attention', 'output gate'];
const parts = (names: readonly string[]) => runner.layers.filter(({ name }) => names.includes(name));
for (let round = 0; round < Number(values.rounds); round++) {
  for (const position of lengths) {
    const step = { rows: 1, position };
    runner.prepare(step);
    runner.prepareHead(1);
    const time = async (some: typeof runner.layers): Promise<number> => (await timeEncoding(device, (pass) => some.forEach((one) => one.encode(pass, step)), { passes: 5 })).ms;
    const line = {
      wholeStepMs: await time([...runner.layers, ...runner.head]),
      linearMs: await time(parts(linear)),
      recurrenceMs: await time(parts(['recurrence'])),
      attentionMs: await time(parts(attention)),
    };
    console.log(JSON.stringify({ bench: 'layerTimes', model: basename(values.model), adapter: device.facts.name, round, position, ...line }));
  }
}
device.destroy();
process.exit(0);
