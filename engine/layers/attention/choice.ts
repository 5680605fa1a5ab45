/**
 * Which attention kernels a GPU uses, for a row alone and for more: measured at the first start on an adapter for each
 * shape of heads, checked against the plain kernel, and remembered. Without a place to remember, the plain one is used.
 */
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { timeEncoding } from '../../measure/timing.ts';
import { warmUp } from '../../measure/warmUp.ts';
import type { ChoiceCache } from '../linear/choice.ts';
import { difference, noise } from '../linear/measurement.ts';
import { type Step, StepUniform } from '../step.ts';
import { blocksVariant } from './blocks.ts';
import { lanesVariant } from './lanes.ts';
import { flashVariants } from './matrixFlash.ts';
import { mostSplits, sharedPartials } from './merge.ts';
import { splitVariants } from './split.ts';
import { tiledVariant } from './tiled.ts';
import { type AttentionKernels, type AttentionVariant, bindVariants, type KeysRead } from './variants.ts';

export function plainKernels(device: Device, keys: KeysRead): AttentionKernels {
  return { decode: tiledVariant(device, keys, { alone: true }), read: tiledVariant(device, keys, { alone: false }) };
}

/** All that can do either job, the plain kernel first. */
export function attentionRivals(device: Device, keys: KeysRead): { decode: AttentionVariant[]; read: AttentionVariant[] } {
  const plain = plainKernels(device, keys);
  return { decode: [plain.decode, ...splitVariants(device, keys)], read: [plain.read, ...flashVariants(device, keys)] };
}

const caches = new WeakMap<Device, ChoiceCache>();
const chosen = new WeakMap<Device, Map<string, Promise<AttentionKernels>>>();
const told = new WeakMap<Device, Map<string, string>>();

/** From now on kernels of this device are chosen by measurement. */
export function rememberAttention(device: Device, cache: ChoiceCache): void {
  caches.set(device, cache);
}

/** What was chosen and why, by shape, for `doctor`. */
export function describeAttention(device: Device): Record<string, string> {
  return Object.fromEntries(told.get(device) ?? []);
}

/** Positions before the step that is measured, and rows of a reading one. */
const measuredKeys = 4096;
const measuredRows = 512;
const repeatedNumbers = 1_000_003;

/** For the cache of a layer. */
export async function chooseAttention(device: Device, keys: KeysRead): Promise<AttentionKernels> {
  const cache = caches.get(device);
  if (device.facts.kind !== 'gpu' || !cache) return plainKernels(device, keys);
  const { format, headDim, heads, kvHeads } = keys;
  const shape = `${heads} heads over ${kvHeads} of ${headDim}, ${format}`;
  let known = chosen.get(device);
  if (!known) chosen.set(device, (known = new Map()));
  let names = known.get(shape);
  if (!names) known.set(shape, (names = choose(device, { ...keys, capacitySlots: measuredKeys + measuredRows + 1 }, shape, cache)));
  return ofTheSameName(device, keys, await names);
}

/**
 * For a part of a layer's keys: what was chosen for a cache of such heads, of which it is known that it computes rightly
 * on this adapter. `many`: for many queries.
 */
export async function choosePart(device: Device, keys: KeysRead, { many }: { many: boolean }): Promise<AttentionVariant> {
  const lanes = many ? lanesVariant(device, keys) : null;
  if (lanes) return lanes;
  const cached: KeysRead = { ...keys, format: keys.format === 'q8' ? 'f16' : keys.format, causal: true, partial: false, listed: false, weighed: false };
  const { decode, read } = ofTheSameName(device, keys, await chooseAttention(device, cached));
  if (!many) return decode;
  const plain = plainKernels(device, keys).read;
  return read.name === plain.name ? (blocksVariant(device, keys) ?? plain) : read;
}

/** Kernels are specialised for the keys they read; the plain ones where there are none of that name for these. */
function ofTheSameName(device: Device, keys: KeysRead, { decode, read }: AttentionKernels): AttentionKernels {
  const rivals = attentionRivals(device, keys);
  const named = (variants: AttentionVariant[], { name }: AttentionVariant): AttentionVariant => variants.find((one) => one.name === name) ?? variants[0];
  return { decode: named(rivals.decode, decode), read: named(rivals.read, read) };
}

async function choose(device: Device, keys: KeysRead, shape: string, cache: ChoiceCache): Promise<AttentionKernels> {
  const rivals = attentionRivals(device, keys);
  const result: Partial<AttentionKernels> = {};
  let lines = told.get(device);
  if (!lines) told.set(device, (lines = new Map()));
  for (const job of ['decode', 'read'] as const) {
    const names = rivals[job].map(({ name }) => name);
    const key = `attention to ${job} of ${shape}: ${names.join('; ')}`;
    const [name, summary] = (cache.get(key) ?? '').split('|');
    const remembered = rivals[job].find((one) => one.name === name);
    if (remembered) {
      result[job] = remembered;
      lines.set(`attention, ${job}, ${shape}`, `${name} (${summary}, remembered)`);
      continue;
    }
    const results = await measureAttention(device, keys, rivals[job], { rows: job === 'decode' ? 1 : measuredRows, position: measuredKeys });
    const right = results.filter(({ wrong }) => wrong === null);
    const best = right.reduce((a, b) => (b.ms < a.ms ? b : a));
    const out = results.filter(({ wrong }) => wrong !== null).map(({ variant, wrong }) => `${variant.name} (${wrong})`);
    const why = `${best.ms.toFixed(3)} ms of ${right.map(({ ms }) => ms.toFixed(3)).join('/')}${out.length > 0 ? `, out: ${out.join(', ')}` : ''}`;
    cache.set(key, `${best.variant.name}|${why}`);
    result[job] = best.variant;
    lines.set(`attention, ${job}, ${shape}`, `${best.variant.name} (${why})`);
  }
  return result as AttentionKernels;
}

export interface AttentionResult {
  variant: AttentionVariant;
  /** Of one layer. */
  ms: number;
  /** Why it must not be used, or null. */
  wrong: string | null;
}

/** One step of one layer, a row alone or many. The first of the rivals is the one that the others must agree with. */
export async function measureAttention(device: Device, keys: KeysRead, rivals: readonly AttentionVariant[], now: Step): Promise<AttentionResult[]> {
  const { memory, gpu } = device;
  const { heads, kvHeads, headDim, format, capacitySlots } = keys;
  if (format === 'q8') throw new RangeError('the cache of a layer has no 8-bit keys');
  const layout = { format, kvHeads, headDim, capacitySlots };
  const { rows } = now;
  const count = rows * heads * headDim;
  const storage = (numbers: number): GPUBuffer => memory.storage('activations', 'measurement', numbers * 4);
  const [queries, output] = [storage(count), storage(count)];
  const cacheNumbers = kvHeads * capacitySlots * headDim * (format === 'f16' ? 0.5 : 1);
  const [cachedKeys, cachedValues] = [storage(cacheNumbers), storage(cacheNumbers)];
  const step = new StepUniform(device);
  step.write(now);
  const scale = 4 / Math.sqrt(headDim);
  gpu.queue.writeBuffer(queries, 0, Float32Array.from({ length: count }, () => scale * noise()));
  // Halves between -2 and 2, or floats: what they are does not matter, as long as they differ.
  const word = format === 'f16' ? () => (0x3000 + Math.floor(Math.random() * 0x0c00)) * 0x10001 + (Math.random() < 0.5 ? 0x8000 : 0) : null;
  for (const cache of [cachedKeys, cachedValues]) {
    // Making all of them would take longer than measuring; a prime number of them puts other ones in every vector.
    const length = Math.min(cacheNumbers, repeatedNumbers);
    const numbers = word ? Uint32Array.from({ length }, word) : Float32Array.from({ length }, noise);
    for (let done = 0; done < cacheNumbers; done += length) gpu.queue.writeBuffer(cache, 4 * done, numbers, 0, Math.min(length, cacheNumbers - done));
  }
  const readback = new Readback(device);
  const io = { queries, keys: cachedKeys, values: cachedValues, output, layout, heads, window: null, step: step.buffer, maxRows: rows, contextTokens: capacitySlots };
  // All are compiled at once, before the clocks are raised.
  const trials = await Promise.all(
    rivals.map(async (variant) => {
      try {
        return { variant, bound: await bindVariants(device, io, { decode: variant, read: variant }) };
      } catch (error) {
        return { variant, error };
      }
    }),
  );
  await warmUp(device);
  const parts = sharedPartials(device, mostSplits, heads, headDim);
  const results: AttentionResult[] = [];
  let plain: Float32Array | null = null;
  for (const { variant, bound, error } of trials) {
    try {
      if (!bound) throw error;
      // What the one before left in parts must not pass for this one's.
      const clear = gpu.createCommandEncoder();
      for (const left of [output, parts.outputs, parts.logSumExps]) clear.clearBuffer(left);
      gpu.queue.submit([clear.finish()]);
      const { ms } = await timeEncoding(device, (pass) => bound.encode(pass, now), { passes: 3, passMs: 10 });
      const values = await readback.floats(output, 0, count);
      plain ??= values;
      results.push({ variant, ms, wrong: difference(values, plain) });
    } catch (failure) {
      device.assertAlive();
      results.push({ variant, ms: Infinity, wrong: failure instanceof Error ? failure.message : String(failure) });
    }
  }
  readback.free();
  step.free();
  for (const buffer of [queries, output, cachedKeys, cachedValues]) memory.free(buffer);
  return results;
}
