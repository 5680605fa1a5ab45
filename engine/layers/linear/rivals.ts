/**
 * Chooses the kernels of a GPU by a short measurement, and remembers them. Rivals compute the same product of
 * weights that no cache holds; one whose results differ from the plain kernel's, or that does not compile, is out:
 * drivers have computed wrongly before, and a fast wrong kernel is worse than none.
 */
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { timeEncoding } from '../../measure/timing.ts';
import { warmUp } from '../../measure/warmUp.ts';
import { StepUniform } from '../step.ts';
import type { Choice, ChoiceCache } from './choice.ts';
import type { WeightFormat } from './format.ts';
import { chooseFusion } from './fusion.ts';
import { anyWeights, difference, noise } from './measurement.ts';
import { bindProduct } from './product.ts';
import type { Variant } from './variants.ts';
import { type MatrixClass, type Preferences, rowCandidates, tileCandidates, workgroupFamily } from './workgroup.ts';

/** How weights that rivals are measured for are stored; f32 is rare and takes what suits f16. */
export type Codes = Exclude<WeightFormat['codes'], 'f32'>;

/** One question: which of the rivals multiplies such weights fastest. */
interface Contest {
  key: string;
  rivals: readonly Variant[];
  format: WeightFormat;
  rows: number;
  outputs: number;
  /** 4096 where it is left out. */
  inputs?: number;
}

const tileRows = 512;
/** More than the last caches of large GPUs hold. */
const rotatedBytes = 160e6;

/** Of weights as most model files have them. */
export const measuredFormats: Record<Codes, WeightFormat> = {
  u4: { codes: 'u4', scales: 'f16', scaleBlock: 32, zeroPoint: 8 },
  u8: { codes: 'u8', scales: 'f16', scaleBlock: 32, zeroPoint: 128 },
  f16: { codes: 'f16', scales: 'none', scaleBlock: 32, zeroPoint: 0 },
};
const outputsOf: Record<MatrixClass, number> = { narrow: 2048, wide: 16384 };

function contestsOf(device: Device, wanted: ReadonlySet<Codes>): Contest[] {
  const [rows, tiles] = [rowCandidates(device), tileCandidates(device)];
  return [...wanted].flatMap((codes) => [
    ...(['narrow', 'wide'] as const).map((size) => ({ key: `${codes} ${size} row`, rivals: rows, format: measuredFormats[codes], rows: 1, outputs: outputsOf[size] })),
    { key: `${codes} tile`, rivals: tiles, format: measuredFormats[codes], rows: tileRows, outputs: 4096 },
  ]);
}

/** `wanted`: what the model's weights are stored as; compiling rivals takes longest of all, so others are not measured. */
export async function chooseRivals(device: Device, cache: ChoiceCache, wanted: ReadonlySet<Codes>): Promise<Choice> {
  const winners = new Map<string, Variant>();
  const why: string[] = [];
  for (const contest of contestsOf(device, wanted)) {
    const { key, rivals } = contest;
    const cacheKey = `linear kernel of ${key}: ${rivals.map(({ name }) => name).join('; ')}`;
    const [name, told] = (cache.get(cacheKey) ?? '').split('|');
    const known = rivals.find((rival) => rival.name === name);
    if (known) {
      winners.set(key, known);
      why.push(`${key}: ${told}, remembered`);
      continue;
    }
    const { winner, summary } = await hold(device, contest);
    cache.set(cacheKey, `${winner.name}|${summary}`);
    winners.set(key, winner);
    why.push(`${key}: ${summary}`);
  }
  const apart = preferencesOf(winners);
  const [most = 'u4'] = wanted;
  const { fuses, summary } = await chooseFusion(device, cache, apart, measuredFormats[most]);
  why.push(`norm and gate of a row: ${summary}`);
  return { family: workgroupFamily(device, { ...apart, fuses }), why: why.join('; ') };
}

function preferencesOf(winners: ReadonlyMap<string, Variant>): Preferences {
  // Plain f32 weights are rare; what suits f16 suits them.
  const stored = (codes: WeightFormat['codes']): Codes => (codes === 'f32' ? 'f16' : codes);
  return {
    row: (codes, size) => winners.get(`${stored(codes)} ${size} row`),
    tile: (codes) => winners.get(`${stored(codes)} tile`),
    fuses: false,
  };
}

export interface RivalResult {
  variant: Variant;
  /** Of one product. */
  ms: number;
  /** Why it must not be used, or null. */
  wrong: string | null;
}

/** `rotated`: bytes of weights that take turns. */
export async function measureRivals(device: Device, { rivals, format, rows, outputs, inputs = 4096 }: Omit<Contest, 'key'>, rotated = rotatedBytes): Promise<RivalResult[]> {
  const { memory } = device;
  const step = new StepUniform(device);
  const now = { rows, position: 0 };
  step.write(now);
  const input = memory.storage('activations', 'measurement', rows * inputs * 4);
  const output = memory.storage('activations', 'measurement', rows * outputs * 4);
  device.gpu.queue.writeBuffer(input, 0, Float32Array.from({ length: rows * inputs }, noise));
  const readback = new Readback(device);
  const first = anyWeights(device, format, { inputs, outputs });
  const copies = rows === 1 ? Math.max(1, Math.ceil(rotated / first.sizeBytes)) : 1;
  const matrices = [first, ...Array.from({ length: copies - 1 }, () => anyWeights(device, format, { inputs, outputs }))];
  const results: RivalResult[] = [];
  let plain: Float32Array | null = null;
  const io = { input, output, step: step.buffer, maxRows: rows };
  // All are compiled at once, before the clocks are raised: drivers take seconds for a large tile.
  const trials = await Promise.all(
    rivals.map(async (variant) => {
      const family = workgroupFamily(device, { row: () => variant, tile: () => variant, fuses: false });
      try {
        return { variant, bound: await Promise.all(matrices.map((matrix) => bindProduct(device, family, matrix, io))) };
      } catch (error) {
        return { variant, error };
      }
    }),
  );
  await warmUp(device);
  for (const { variant, bound, error } of trials) {
    try {
      if (!bound) throw error;
      const clear = device.gpu.createCommandEncoder();
      clear.clearBuffer(output);
      device.gpu.queue.submit([clear.finish()]);
      const { ms } = await timeEncoding(device, (pass) => bound.forEach((one) => one.encode(pass, now)), { passes: 3, passMs: 20 });
      const values = await readback.floats(output, 0, rows * outputs);
      plain ??= values;
      results.push({ variant, ms: ms / copies, wrong: difference(values, plain) });
    } catch (error) {
      device.assertAlive();
      results.push({ variant, ms: Infinity, wrong: error instanceof Error ? error.message : String(error) });
    }
  }
  readback.free();
  for (const matrix of matrices) matrix.free();
  for (const buffer of [input, output, step.buffer]) memory.free(buffer);
  return results;
}

async function hold(device: Device, contest: Contest): Promise<{ winner: Variant; summary: string }> {
  const results = await measureRivals(device, contest);
  const right = results.filter(({ wrong }) => wrong === null);
  const best = right.reduce((a, b) => (b.ms < a.ms ? b : a));
  const wrong = results.filter((result) => result.wrong !== null);
  const out = wrong.length > 0 ? `, out: ${wrong.map((result) => `${result.variant.name} (${result.wrong})`).join(', ')}` : '';
  return { winner: best.variant, summary: `${best.ms.toFixed(3)} ms of ${right.map(({ ms }) => ms.toFixed(3)).join('/')}${out}` };
}
