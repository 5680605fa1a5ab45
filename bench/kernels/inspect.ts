/**
 * Speed of looking inside: ms a layer for the log-sum-exps of the rows, their statistics, and a tile of 256 × 256 cells
 * of all heads; and of saying what rows of logits think of given tokens. Bundle it with esbuild first, because of the WGSL
 * imports. Arguments: keys (6000), rows (64), keys that an invocation has in hand at once (left out, what suits the adapter).
 */
import { type KeyRange, type LayerRows, RangeKernels, statisticsFloats } from '../../engine/inspect/rangeKernels.ts';
import { chooseKvFormat, kvBytesPerValue } from '../../engine/layers/attention/layout.ts';
import { openTestDevice } from '../../engine/testing/device.ts';
import { bindTokenLogprobs } from '../../engine/inspect/tokenLogprobs.ts';
import { best, line } from './measure.ts';

const shapes = [
  { name: 'SmolLM2-135M', heads: 9, kvHeads: 3, headDim: 64 },
  { name: 'Gemma-270M', heads: 4, kvHeads: 1, headDim: 256 },
  { name: 'Llama-8B', heads: 32, kvHeads: 8, headDim: 128 },
];
const [keys, rows] = [Number(process.argv[2] ?? 6000), Number(process.argv[3] ?? 64)];
const keysAtOnce = process.argv[4] ? Number(process.argv[4]) : undefined;
const device = await openTestDevice();
for (const { name, heads, kvHeads, headDim } of shapes) {
  const storage = (count: number): GPUBuffer => device.memory.storage('activations', 'bench', 4 * count);
  const format = chooseKvFormat(device);
  const position = keys - rows;
  const layer: LayerRows = { queries: storage(rows * heads * headDim), logSums: storage(rows * heads), heads, kvHeads, headDim, window: null, rows, position };
  const range: KeyRange = { keys: storage((kvHeads * keys * headDim * kvBytesPerValue(format)) / 4), format, capacitySlots: keys, slotOrigin: 0, firstKey: 0, endKey: keys };
  const kernels = new RangeKernels(device, { keysAtOnce });
  const shape = { firstRow: 0, endRow: rows, rowsPerBucket: 1, fromKey: 0, toKey: keys, keysPerBucket: Math.ceil(keys / 256) };
  const out = { sums: storage(rows * 256), peaks: storage(rows * 256), peakKeys: storage(rows * 256) };
  const statistics = storage(rows * heads * statisticsFloats);
  const flops = 2 * rows * heads * keys * headDim;
  const all = Array.from({ length: heads }, (_, head) => head);
  const cases = [
    ['log sums', await kernels.logSums(layer, range, all)],
    ['row statistics', await kernels.rows(layer, range, { fromKey: 16, toKey: position }, statistics)],
    ['tile of all heads', await kernels.tile(layer, range, all, shape, out)],
  ] as const;
  for (const [what, encode] of cases) console.log(line(`${name}, ${rows} rows × ${keys} keys, ${what}`, await best(device, encode), flops, 'GFLOP/s'));
}
const [logitRows, vocabularySize] = [8, 128_256];
const logits = device.memory.storage('activations', 'bench', 4 * logitRows * vocabularySize);
const bound = await bindTokenLogprobs(device, { logits, vocabularySize, tokens: Array.from({ length: logitRows }, (_, row) => row) });
console.log(line(`log-probabilities of ${logitRows} rows of ${vocabularySize} logits`, await best(device, (pass) => bound.encode(pass, 0, logitRows)), 4 * logitRows * vocabularySize, 'GB/s'));
device.destroy();
