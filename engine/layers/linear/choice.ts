/** Chooses a family of kernels by a short measurement, and remembers it. */
import type { Device } from '../../device/device.ts';
import { StepUniform } from '../step.ts';
import type { SourceMatrix } from './matrix.ts';
import { bindProduct } from './product.ts';
import { chooseRivals, type Codes } from './rivals.ts';
import { type FamilyName, familyOf, promisingFamilies, type VariantFamily } from './variants.ts';
import { WeightUploader } from './uploader.ts';
import { limitsOf } from './weights.ts';

/** Remembers measured choices; the owner scopes it to adapter, driver and engine version. */
export interface ChoiceCache {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

export interface Choice {
  family: VariantFamily;
  /** For `doctor`. */
  why: string;
}

/** Prompts are that much longer than their answers: what a token read counts beside one that is made. */
const readPerMade = 10;
const tileRows = 64;
// Larger than the caches' reach is not needed: the families differ in how they load, not in what.
const outputs = 1536;
const inputs = 576;
const productsPerRound = 8;
const rounds = 8;

/** `codes`: what the model's weights are stored as. */
export async function chooseFamily(device: Device, cache: ChoiceCache, codes: ReadonlySet<Codes>): Promise<Choice> {
  const candidates = promisingFamilies(device);
  if (device.facts.kind === 'gpu') return chooseRivals(device, cache, codes);
  if (candidates.length === 1) return { family: familyOf(device, candidates[0]), why: 'the only one for this adapter' };
  const key = `linear family of ${candidates.join(', ')}`;
  const [name, why] = (cache.get(key) ?? '').split(': ');
  const known = candidates.find((candidate) => candidate === name);
  if (known) return { family: familyOf(device, known), why: `${why}, remembered` };
  const times = await measure(device, candidates);
  const best = candidates.reduce((a, b) => (times.get(b)! < times.get(a)! ? b : a));
  const summary = candidates.map((candidate) => `${candidate} ${times.get(candidate)!.toFixed(2)} ms`).join(', ');
  cache.set(key, `${best}: ${summary}`);
  return { family: familyOf(device, best), why: summary };
}

/** Milliseconds of one product for each token that is made and those that are read for it, the fastest of interleaved rounds. */
async function measure(device: Device, candidates: readonly FamilyName[]): Promise<Map<FamilyName, number>> {
  const { memory } = device;
  const step = new StepUniform(device);
  const input = memory.storage('activations', 'measurement', tileRows * inputs * 4);
  const output = memory.storage('activations', 'measurement', tileRows * outputs * 4);
  const trials = [];
  for (const name of candidates) {
    const family = familyOf(device, name);
    const uploader = new WeightUploader(device, family.layout, limitsOf(device));
    const weights = await uploader.upload('measurement', [anyWeights()]);
    await uploader.finish();
    const bound = await bindProduct(device, family, weights, { input, output, step: step.buffer, maxRows: tileRows });
    trials.push({ name, weights, bound, milliseconds: new Map([[1, Infinity], [tileRows, Infinity]]) });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { bound, milliseconds } of trials) {
      for (const [rows, bestMs] of milliseconds) {
        const products = rows === 1 ? productsPerRound : 1;
        step.write({ rows, position: 0 });
        const encoder = device.gpu.createCommandEncoder();
        const pass = encoder.beginComputePass();
        for (let index = 0; index < products; index++) bound.encode(pass, { rows, position: 0 });
        pass.end();
        await device.finished();
        const start = performance.now();
        device.gpu.queue.submit([encoder.finish()]);
        await device.finished();
        milliseconds.set(rows, Math.min(bestMs, (performance.now() - start) / products));
      }
    }
  }
  for (const { weights } of trials) weights.free();
  for (const buffer of [input, output]) memory.free(buffer);
  step.free();
  return new Map(trials.map(({ name, milliseconds }) => [name, milliseconds.get(1)! + (readPerMade / tileRows) * milliseconds.get(tileRows)!]));
}

/** Four-bit weights, the most common kind; their values do not matter. */
function anyWeights(): SourceMatrix {
  const blocks = (outputs * inputs) / 32;
  return {
    kind: 'affine',
    rows: {
      bits: 4,
      blockSize: 32,
      zeroPoint: 8,
      rows: outputs,
      columns: inputs,
      codes: new Uint8Array(outputs * inputs).fill(5),
      scales: new Float32Array(blocks).fill(1),
      offsets: undefined,
      scalesAreHalf: true,
    },
  };
}
