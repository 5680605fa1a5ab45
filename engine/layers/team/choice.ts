/** Whether a team is faster than dispatches one after another, and of how many: measured, checked, remembered. */
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { timeEncoding } from '../../measure/timing.ts';
import { bindAttention } from '../attention/attention.ts';
import { bindRotateAndStore } from '../attention/rotateAndStore.ts';
import type { ChoiceCache } from '../linear/choice.ts';
import { anyWeights, difference, noise } from '../linear/measurement.ts';
import { bindProduct, type ProductBinding } from '../linear/product.ts';
import type { VariantFamily } from '../linear/variants.ts';
import type { LinearWeights } from '../linear/weights.ts';
import type { Bound } from '../pointwise/bound.ts';
import { bindNormalise } from '../pointwise/normalise.ts';
import { StepUniform } from '../step.ts';
import { bindTeamLayer, workOfLayer } from './layer.ts';
import { createTeam, freeTeam, lateOffsetBytes, type Team } from './team.ts';

export interface TeamChoice {
  /** 0: no team. */
  members: number;
  /** For `doctor`. */
  why: string;
}

/** A layer of a small model, where dispatches weigh most. */
const shape = { hiddenSize: 576, heads: 9, width: 1536, layout: { format: 'f32', kvHeads: 3, headDim: 64, capacitySlots: 64 } } as const;
const format = { codes: 'u4', scales: 'f16', scaleBlock: 32, zeroPoint: 0 } as const;
/** More are tried as long as that helps. */
const sizes = [2, 4, 8, 16];
/** A few milliseconds: members that do not run at once would wait for the others for ever. */
const measuredPatience = 1 << 20;

/** A busy machine finds none, too: that there is none is believed when so many starts have found it. */
const startsWithout = 3;

/** Devices on which a member came late while answers were made: no teams any more. */
const dismissed = new WeakSet<Device>();

/** No more teams on this device; at the next start they are measured again. */
export function dismissTeams(device: Device, cache: ChoiceCache, family: VariantFamily): TeamChoice {
  dismissed.add(device);
  cache.set(keyOf(family), '');
  return none;
}

const none: TeamChoice = { members: 0, why: 'one came late while an answer was made' };
const keyOf = (family: VariantFamily): string => `team of ${family.name}`;

export async function chooseTeam(device: Device, cache: ChoiceCache, family: VariantFamily): Promise<TeamChoice> {
  if (dismissed.has(device)) return none;
  const key = keyOf(family);
  const [known, told, starts = '0'] = (cache.get(key) ?? '').split('|');
  if (told && (Number(known) > 0 || Number(starts) >= startsWithout)) return { members: Number(known), why: `${told}, remembered` };
  const choice = await measure(device, family);
  cache.set(key, `${choice.members}|${choice.why}|${Number(starts) + 1}`);
  return choice;
}

async function measure(device: Device, family: VariantFamily): Promise<TeamChoice> {
  const { memory, gpu } = device;
  const { hiddenSize, heads, width, layout } = shape;
  const { kvHeads, headDim, capacitySlots } = layout;
  const columns = (heads + 2 * kvHeads) * headDim;
  const step = new StepUniform(device);
  const now = { rows: 1, position: capacitySlots - 1 };
  step.write(now);
  const readback = new Readback(device);
  const buffer = (numbers: number): GPUBuffer => memory.storage('activations', 'measurement', numbers * 4);
  const [hidden, gain, normed, projections, queries, mixed, outputs, gated, angles] = [hiddenSize, hiddenSize, hiddenSize, columns, heads * headDim, heads * headDim, 2 * width, width, headDim].map(buffer);
  const [keys, values] = [0, 1].map(() => buffer(kvHeads * capacitySlots * headDim));
  const row = Float32Array.from({ length: hiddenSize }, noise);
  gpu.queue.writeBuffer(gain, 0, row);
  gpu.queue.writeBuffer(angles, 0, row.subarray(0, headDim));
  const matrix = (inputs: number, of: number): LinearWeights => anyWeights(device, format, { inputs, outputs: of });
  const matrices = { queryKeyValue: matrix(hiddenSize, columns), mixerOutput: matrix(heads * headDim, hiddenSize), gateUp: matrix(hiddenSize, 2 * width), down: matrix(width, hiddenSize) };
  const common = { step: step.buffer, maxRows: 1, epsilon: 1e-5 };
  const rotary = { pairing: 'adjacent', rotatedDims: headDim, queryScale: 1 / Math.sqrt(headDim) } as const;
  /** The layer's result for one row, and the time of it. */
  const run = async (parts: readonly Bound[]): Promise<{ result: Float32Array; time(): Promise<number> }> => {
    const encode = (pass: GPUComputePassEncoder): void => parts.forEach((one) => one.encode(pass, now));
    gpu.queue.writeBuffer(hidden, 0, row);
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    const result = await readback.floats(hidden, 0, hiddenSize);
    return { result, time: async () => (await timeEncoding(device, encode, { passes: 5, passMs: 5 })).ms };
  };
  const bindApart = (): Promise<Bound[]> => {
    const norm = bindNormalise(device, { ...common, input: hidden, weight: gain, output: normed, columns: hiddenSize });
    const product = (weights: LinearWeights, input: GPUBuffer, output: GPUBuffer, more: Partial<ProductBinding> = {}): Promise<Bound> => bindProduct(device, family, weights, { ...common, input, output, ...more });
    return Promise.all([
      norm,
      product(matrices.queryKeyValue, normed, projections),
      bindRotateAndStore(device, { ...common, ...rotary, projections, angles, queries, keys, values, layout, heads }),
      bindAttention(device, { ...common, queries, keys, values, output: mixed, layout, heads, window: null, contextTokens: capacitySlots }),
      product(matrices.mixerOutput, mixed, hidden, { accumulate: true }),
      norm,
      product(matrices.gateUp, normed, outputs, { gate: { activation: 'silu', output: gated } }),
      product(matrices.down, gated, hidden, { accumulate: true }),
    ]);
  };
  const teams: Team[] = [];
  try {
    const apart = await run(await bindApart());
    const apartMs = await apart.time();
    let best = { members: 0, ms: apartMs };
    const tried = [`apart ${apartMs.toFixed(2)} ms`];
    for (const members of sizes) {
      const team = createTeam(device, members, workOfLayer(members, shape), measuredPatience);
      teams.push(team);
      const bound = await bindTeamLayer(device, team, { ...common, ...shape, ...rotary, ...matrices, window: null, activation: 'silu', hidden, attentionGain: gain, feedGain: gain, angles, keys, values });
      if (!bound) break;
      const together = await run([bound]);
      const late = new Uint32Array(await readback.read(team.meeting, lateOffsetBytes, 4))[0];
      const wrong = late > 0 ? 'do not run at once' : difference(together.result, apart.result);
      const ms = wrong ? Infinity : await together.time();
      tried.push(`${members} members ${wrong ?? `${ms.toFixed(2)} ms`}`);
      if (ms >= best.ms) break;
      best = { members, ms };
    }
    return { members: best.members, why: tried.join(', ') };
  } catch (error) {
    device.assertAlive();
    return { members: 0, why: error instanceof Error ? error.message : String(error) };
  } finally {
    readback.free();
    for (const weights of Object.values(matrices)) weights.free();
    for (const team of teams) freeTeam(device, team);
    for (const one of [hidden, gain, normed, projections, queries, mixed, outputs, gated, angles, keys, values]) memory.free(one);
    step.free();
  }
}
