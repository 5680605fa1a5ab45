/**
 * Speed of what layers of constant state do: one line a kernel and mechanism, at the sizes of Qwen3.5-0.8B, LFM2-1.2B and
 * Granite 4 h-micro, for a chunk of 64 rows and for one. Bundle it with esbuild first, because of the WGSL imports.
 */
import { bindDeltaGates, bindUnitHeads } from '../../engine/layers/recurrent/gatedDelta.ts';
import { bindGatedHeadNorm } from '../../engine/layers/recurrent/gatedHeadNorm.ts';
import { bindKeyDecays } from '../../engine/layers/recurrent/keyDecays.ts';
import { bindActivateRows, bindRwkvKeys, bindRwkvRead, bindRwkvValues, bindTokenShift } from '../../engine/layers/recurrent/rwkv.ts';
import { bindScan, type ScanShape } from '../../engine/layers/recurrent/scan.ts';
import { bindShortConvolution } from '../../engine/layers/recurrent/shortConvolution.ts';
import { bindStateSpaceGates } from '../../engine/layers/recurrent/stateSpace.ts';
import { StateCache } from '../../engine/layers/recurrent/stateCache.ts';
import { bindSigmoidGate } from '../../engine/layers/pointwise/gated.ts';
import type { Bound } from '../../engine/layers/pointwise/bound.ts';
import { StepUniform } from '../../engine/layers/step.ts';
import type { LinearSpec } from '../../engine/models/linearSpec.ts';
import { openTestDevice } from '../../engine/testing/device.ts';
import { best, line } from './measure.ts';

const device = await openTestDevice();
console.log(device.facts.name);
const maxRows = 64;
const storage = (values: number): GPUBuffer => device.memory.storage('activations', 'bench', values * 4);
const step = new StepUniform(device);

async function measure(name: string, bound: Bound, amount: (rows: number) => number, unit: 'GFLOP/s' | 'GB/s'): Promise<void> {
  for (const rows of [maxRows, 1]) {
    const now = { rows, position: 100 };
    step.write(now);
    console.log(line(`${name}, ${rows} rows`, await best(device, (pass) => bound.encode(pass, now)), amount(rows), unit));
  }
}

interface Recurrence {
  name: string;
  heads: number;
  keyHeads: number;
  keyDim: number;
  valueDim: number;
  erase: ScanShape['erase'];
  byKey: boolean;
}
const heads = { heads: 16, keyHeads: 16, keyDim: 128, valueDim: 128 };
const recurrences: Recurrence[] = [
  { name: 'Gated DeltaNet', ...heads, erase: true, byKey: false },
  { name: 'Mamba-2', heads: 64, keyHeads: 1, keyDim: 128, valueDim: 64, erase: false, byKey: false },
  { name: 'lightning attention', ...heads, erase: false, byKey: false },
  { name: 'Kimi Delta Attention', ...heads, erase: true, byKey: true },
  { name: 'Gated DeltaNet-2', ...heads, erase: 'vectors', byKey: true },
  { name: 'gated linear attention', ...heads, erase: false, byKey: true },
  { name: 'RWKV-7', heads: 32, keyHeads: 32, keyDim: 64, valueDim: 64, erase: 'vectors', byKey: true },
];
for (const { name, byKey, ...shape } of recurrences) {
  const { heads, keyHeads, keyDim, valueDim, erase } = shape;
  const spec = { kind: 'linear', mechanism: 'state space', heads, headDim: valueDim, groups: keyHeads, stateDim: keyDim, taps: 4 } as LinearSpec;
  const stride = 2 * keyHeads * keyDim + heads * valueDim;
  const bound = await bindScan(device, {
    ...shape,
    stride,
    queryOffset: 0,
    keyOffset: keyHeads * keyDim,
    valueOffset: 2 * keyHeads * keyDim,
    keyHeadOrder: 'grouped',
    vectors: storage(maxRows * stride),
    gates: storage(2 * maxRows * heads),
    decays: byKey ? storage(maxRows * heads * keyDim) : undefined,
    erasers: erase === 'vectors' ? storage(2 * maxRows * heads * keyDim) : undefined,
    cache: new StateCache(device, 'bench', spec),
    output: storage(maxRows * heads * valueDim),
    step: step.buffer,
  });
  await measure(`recurrence of ${name}`, bound, (rows) => 8 * rows * heads * keyDim * valueDim, 'GFLOP/s');
}

const qwen = { channels: 6144, inner: 2048, columns: 6144 + 2048 + 32 };
const convolutionSpec = (channels: number, taps: number): LinearSpec => ({ kind: 'linear', mechanism: 'short convolution', channels, taps }) as LinearSpec;
for (const { name, channels, taps, gated } of [{ name: 'Qwen3.5-0.8B', channels: qwen.channels, taps: 4, gated: false }, { name: 'LFM2-1.2B', channels: 2048, taps: 3, gated: true }]) {
  const inputColumns = (gated ? 3 : 1) * channels;
  const io = { input: storage(maxRows * inputColumns), inputColumns, inputOffset: 0, weight: storage(channels * taps), output: storage(maxRows * channels) };
  const cache = new StateCache(device, 'bench', convolutionSpec(channels, taps));
  const bound = await bindShortConvolution(device, { ...io, cache, step: step.buffer, channels, taps, silu: !gated, gated });
  await measure(`short convolution of ${name}`, bound, (rows) => 4 * rows * (inputColumns + channels), 'GB/s');
}
const projections = storage(maxRows * qwen.columns);
const gates = { stride: qwen.columns, rate: storage(64), bias: storage(64), gates: storage(2 * maxRows * 64), step: step.buffer };
await measure('gates of Gated DeltaNet', await bindDeltaGates(device, { ...gates, input: projections, alphaOffset: 8192, betaOffset: 8208, run: 16, heads: 16 }), (rows) => 4 * rows * 16 * 4, 'GB/s');
await measure('gates of Mamba-2', await bindStateSpaceGates(device, { ...gates, input: projections, offset: 8128, heads: 64 }), (rows) => 4 * rows * 64 * 3, 'GB/s');
for (const form of ['softplus', 'log sigmoid', 'bounded'] as const) {
  const bound = await bindKeyDecays(device, { form, input: projections, stride: qwen.columns, offset: 0, bias: storage(qwen.inner), rate: storage(16), output: storage(maxRows * qwen.inner), heads: 16, headDim: 128 });
  await measure(`decays of keys, ${form}`, bound, (rows) => 8 * rows * qwen.inner, 'GB/s');
}
await measure('unit heads', await bindUnitHeads(device, { vectors: storage(maxRows * qwen.channels), stride: qwen.channels, queries: 16, keys: 16, headDim: 128, queryScale: 1, epsilon: 1e-6 }), (rows) => 16 * rows * qwen.inner, 'GB/s');
const normed = { values: storage(maxRows * qwen.inner), gate: projections, gateStride: qwen.columns, gateOffset: 6144, weight: storage(128), weights: 128, heads: 16, headDim: 128, epsilon: 1e-6 };
await measure('gated norm of heads', await bindGatedHeadNorm(device, { ...normed, activation: 'silu', gated: 'after' }), (rows) => 12 * rows * qwen.inner, 'GB/s');
await measure('output gate of attention', await bindSigmoidGate(device, { values: storage(maxRows * 2048), gate: storage(maxRows * 2048), columns: 2048 }), (rows) => 12 * rows * 2048, 'GB/s');
// RWKV-7 of 1.5B: 32 heads of 64.
const wide = 2048;
const rwkvHeads = { heads: wide / 64, headDim: 64, projected: storage(7 * maxRows * wide), vectors: storage(3 * maxRows * wide) };
const rwkvVector = (): GPUBuffer => storage(wide);
const shifting = { input: storage(maxRows * wide), columns: wide, lerp: storage(6 * wide), mixes: 6, output: storage(6 * maxRows * wide), maxRows, step: step.buffer, tailRow: 0 };
const rwkvCache = new StateCache(device, 'bench', { kind: 'linear', mechanism: 'rwkv', heads: wide / 64, headDim: 64 } as LinearSpec);
await measure('token shift', await bindTokenShift(device, { ...shifting, cache: rwkvCache }), (rows) => 28 * rows * wide, 'GB/s');
await measure('activation of rows', await bindActivateRows(device, { values: storage(maxRows * 4 * wide), columns: 4 * wide, activation: 'squared relu' }), (rows) => 32 * rows * wide, 'GB/s');
const keyed = { keys: maxRows * wide, rates: 4 * maxRows * wide, keyScale: rwkvVector(), keyRate: rwkvVector(), rateBias: rwkvVector(), decays: storage(maxRows * wide), erasers: storage(2 * maxRows * wide) };
await measure('keys of RWKV-7', await bindRwkvKeys(device, { ...rwkvHeads, ...keyed }), (rows) => 24 * rows * wide, 'GB/s');
const valued = { queries: 0, values: 2 * maxRows * wide, mix: { region: 5 * maxRows * wide, bias: rwkvVector() }, firstValues: storage(maxRows * wide), gates: storage(maxRows * 64) };
await measure('values of RWKV-7', await bindRwkvValues(device, { ...rwkvHeads, ...valued }), (rows) => 24 * rows * wide, 'GB/s');
const given = { gateRegion: 6 * maxRows * wide, values: storage(maxRows * wide), weight: rwkvVector(), bias: rwkvVector(), bonus: rwkvVector(), epsilon: 64e-5 };
await measure('results of RWKV-7', await bindRwkvRead(device, { ...rwkvHeads, ...given }), (rows) => 24 * rows * wide, 'GB/s');
process.exit(0);
