/** Options that several commands share, and how their values are read. */
import { estimatesRest } from '../../engine/kv/tiers/policy.ts';
import { defaultSampling, type Sampling } from '../contract/entities.ts';
import { canRoll, defaultKvSetting, defaultPolicySetting, type KvSetting, largestBudgetFor, policyName, policySetting, type PolicySetting, sparseFromTokens, sparseReading } from '../contract/policy.ts';
import { usageError } from './context.ts';

export type OptionValues = Record<string, string | boolean | undefined>;

export const commonOptions = {
  data: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
export const modelOptions = { model: { type: 'string' }, context: { type: 'string' } } as const;
export const policyOptions = {
  policy: { type: 'string' },
  budget: { type: 'string' },
  misses: { type: 'string' },
  'kv-gpu': { type: 'string' },
  'kv-ram': { type: 'string' },
  'kv-format': { type: 'string' },
  'sparse-reading': { type: 'string' },
} as const;
export const samplingOptions = {
  'max-tokens': { type: 'string' },
  temperature: { type: 'string' },
  seed: { type: 'string' },
} as const;

export const traceOptions = { trace: { type: 'string' } } as const;

export function text(values: OptionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

/** One of the given words, or undefined when the option is not there. */
export function oneOf<const Words extends readonly string[]>(values: OptionValues, name: string, words: Words): Words[number] | undefined {
  const given = text(values, name);
  if (given === undefined || words.includes(given)) return given;
  throw usageError(`--${name} is “${given}”.`, `Use one of: ${words.join(', ')}`);
}

export function integer(values: OptionValues, name: string, least: number, most: number): number | undefined {
  const given = text(values, name);
  if (given === undefined) return undefined;
  const number = Number(given);
  if (!Number.isInteger(number) || number < least || number > most) {
    throw usageError(`--${name} is “${given}”, not a whole number from ${least} to ${most}.`, 'See “longleaf --help”.');
  }
  return number;
}

function decimal(values: OptionValues, name: string, least: number, most: number): number | undefined {
  const given = text(values, name);
  if (given === undefined) return undefined;
  const number = Number(given);
  if (given.trim() === '' || !(number >= least && number <= most)) {
    throw usageError(`--${name} is “${given}”, not a number from ${least} to ${most}.`, 'See “longleaf --help”.');
  }
  return number;
}

export function readSampling(values: OptionValues): Sampling {
  return {
    ...defaultSampling,
    temperature: decimal(values, 'temperature', 0, 5) ?? defaultSampling.temperature,
    seed: integer(values, 'seed', 0, 0xffff_ffff) ?? null,
    maxTokens: integer(values, 'max-tokens', 1, 32_768) ?? defaultSampling.maxTokens,
  };
}

export function readContext(values: OptionValues): number | null {
  return integer(values, 'context', 16, 16_777_216) ?? null;
}

/**
 * `--policy`, `--budget` and `--misses`. A policy that is asked for by name is used even where everything would fit the GPU, so
 * that it can be compared; without one, keys and values leave the GPU only when they must.
 */
export function readPolicy(values: OptionValues): { policy: PolicySetting | undefined; kv: KvSetting } {
  const named = text(values, 'policy');
  const name = named === undefined ? undefined : policyName.safeParse(named);
  if (name && !name.success) throw usageError(`There is no policy “${named}”.`, `Use one of: ${policyName.options.join(', ')}.`);
  const budget = readBudget(text(values, 'budget'));
  if (budget && (name?.data === 'full' || name?.data === 'window')) {
    throw usageError(`--budget does not apply to the policy “${name.data}”, which chooses no tokens.`, 'Leave --budget out.');
  }
  const chosen = name?.data ?? defaultPolicySetting.name;
  const misses = readMisses(text(values, 'misses'));
  if (misses && (name?.data === 'full' || name?.data === 'window')) {
    throw usageError(`--misses does not apply to the policy “${name.data}”, which chooses no tokens.`, 'Leave --misses out.');
  }
  if (misses === 'rolling' && !canRoll(chosen)) {
    throw usageError(`--misses rolling does not apply to the policy “${chosen}”, which looks beyond the GPU for every choice.`, 'Use strict or lagged.');
  }
  const policy = name || budget || misses ? { ...defaultPolicySetting, name: chosen, estimate: estimatesRest[chosen], ...(budget ? { budget } : {}), ...(misses ? { misses } : {}) } : undefined;
  const kv: KvSetting = {
    gpuBytes: readBytes(values, 'kv-gpu') ?? null,
    ramBytes: readBytes(values, 'kv-ram') ?? null,
    format: readFormat(text(values, 'kv-format')),
    sparseReading: readSparseReading(text(values, 'sparse-reading') ?? 'off'),
    offload: name && name.data !== 'full' ? 'always' : defaultKvSetting.offload,
    pages: name?.data === 'quest',
    graphs: name?.data === 'graph',
    mayLackSketch: chosen !== 'sketch',
    largestBudget: largestBudgetFor(policy),
  };
  return { policy, kv };
}

/** `off`, or `25%` of the blocks of keys, from another token on than usual with `25%@32768`. */
export function readSparseReading(given: string): KvSetting['sparseReading'] {
  if (given === 'off') return null;
  const [, percent, fromTokens] = /^([\d.]+)%(?:@(\d+))?$/.exec(given) ?? [];
  const setting = sparseReading.safeParse({ share: Number(percent) / 100, fromTokens: Number(fromTokens ?? sparseFromTokens) });
  if (setting.success) return setting.data;
  throw usageError(`--sparse-reading is “${given}”.`, 'Write a share of what came before, for example --sparse-reading 25%, where it begins, 25%@32768, or off.');
}

function readBudget(given: string | undefined): PolicySetting['budget'] | undefined {
  if (given === undefined) return undefined;
  const percent = /^([\d.]+)%$/.exec(given);
  const number = Number(percent ? percent[1] : given);
  if (percent && number > 0 && number <= 100) return { share: number / 100 };
  if (!percent && Number.isInteger(number) && number >= 1 && number <= 1_000_000) return { tokens: number };
  throw usageError(`--budget is “${given}”, neither a number of tokens nor a share of them.`, 'Write for example --budget 2% or --budget 500.');
}

function readMisses(given: string | undefined): PolicySetting['misses'] {
  const misses = policySetting.shape.misses.safeParse(given);
  if (misses.success) return misses.data;
  throw usageError(`--misses is “${given}”.`, 'Use strict (a step waits for what must be fetched), lagged (later steps get it) or rolling (steps attend to all that is on the GPU, and layers take turns to choose).');
}

const byteUnits: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

export function readBytes(values: OptionValues, name: string): number | undefined {
  const given = text(values, name);
  return given === undefined ? undefined : parseBytes(`--${name}`, given);
}

/** “2G”, “500M”, “4096”. */
export function parseBytes(what: string, given: string): number {
  const match = /^([\d.]+)([KMG]?)i?B?$/i.exec(given);
  const bytes = match ? Math.floor(Number(match[1]) * byteUnits[match[2].toUpperCase()]) : NaN;
  if (bytes >= 1) return bytes;
  throw usageError(`${what} is “${given}”, not a number of bytes.`, `Write for example ${what} 2G.`);
}

export function readFormat(given: string | undefined): KvSetting['format'] {
  if (given === undefined || given === 'f16') return 'f16';
  if (given === 'q8') return 'q8';
  throw usageError(`--kv-format is “${given}”.`, 'Use f16 or q8 (8 bits).');
}
