/**
 * Speed of norms, gates and rotary embedding: one line a kernel, at SmolLM2's and Gemma's sizes, for a
 * chunk of 64 rows and for one. Bundle it with esbuild first, because of the WGSL imports.
 */
import { bindRotateAndStore } from '../../engine/layers/attention/rotateAndStore.ts';
import { chooseKvFormat } from '../../engine/layers/attention/layout.ts';
import { bindGated } from '../../engine/layers/pointwise/gated.ts';
import { bindNormalise } from '../../engine/layers/pointwise/normalise.ts';
import { StepUniform } from '../../engine/layers/step.ts';
import { openTestDevice } from '../../engine/testing/device.ts';
import { best, line } from './measure.ts';

const device = await openTestDevice();
console.log(device.facts.name);
const maxRows = 64;
const storage = (values: number): GPUBuffer => device.memory.storage('activations', 'bench', values * 4);
const models = [
  { name: 'SmolLM2-135M', hidden: 576, width: 1536, heads: 9, kvHeads: 3, headDim: 64, norm: false },
  { name: 'Gemma-270M', hidden: 640, width: 2048, heads: 4, kvHeads: 1, headDim: 256, norm: true },
];
for (const { name, hidden, width, heads, kvHeads, headDim, norm } of models) {
  const step = new StepUniform(device);
  const projected = (heads + 2 * kvHeads) * headDim;
  const started = performance.now();
  const normalise = await bindNormalise(device, {
    input: storage(maxRows * hidden),
    weight: storage(hidden),
    output: storage(maxRows * hidden),
    step: step.buffer,
    columns: hidden,
    epsilon: 1e-6,
    maxRows,
  });
  const gated = await bindGated(device, {
    gateUp: storage(maxRows * 2 * width),
    output: storage(maxRows * width),
    step: step.buffer,
    columns: width,
    activation: norm ? 'gelu-tanh' : 'silu',
  });
  const layout = { format: chooseKvFormat(device), kvHeads, headDim, capacitySlots: 1024 };
  const rotate = await bindRotateAndStore(device, {
    projections: storage(maxRows * projected),
    queryNorm: norm ? storage(headDim) : undefined,
    keyNorm: norm ? storage(headDim) : undefined,
    epsilon: 1e-6,
    angles: storage(maxRows * headDim),
    pairing: norm ? 'halves' : 'adjacent',
    rotatedDims: headDim,
    queryScale: 1,
    queries: storage(maxRows * heads * headDim),
    keys: storage(kvHeads * 1024 * headDim),
    values: storage(kvHeads * 1024 * headDim),
    layout,
    heads,
    step: step.buffer,
    maxRows,
  });
  console.log(`${name}: pipelines in ${(performance.now() - started).toFixed(0)} ms`);
  for (const rows of [64, 1]) {
    const now = { rows, position: 100 };
    step.write(now);
    console.log(line(`${name} normalise ${rows} rows`, await best(device, (pass) => normalise.encode(pass, now)), rows * hidden * 8, 'GB/s'));
    console.log(line(`${name} gate ${rows} rows`, await best(device, (pass) => gated.encode(pass, now)), rows * width * 12, 'GB/s'));
    console.log(line(`${name} rotate and store ${rows} rows`, await best(device, (pass) => rotate.encode(pass, now)), rows * projected * 8, 'GB/s'));
  }
}
process.exit(0);
