/** Options that several commands share, and how their values are read. */
import { defaultSampling, type Sampling } from '../contract/entities.ts';
import { usageError } from './context.ts';

export type OptionValues = Record<string, string | boolean | undefined>;

export const commonOptions = {
  data: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
export const modelOptions = { model: { type: 'string' }, context: { type: 'string' } } as const;
export const policyOptions = { policy: { type: 'string' }, budget: { type: 'string' } } as const;
export const samplingOptions = {
  'max-tokens': { type: 'string' },
  temperature: { type: 'string' },
  seed: { type: 'string' },
} as const;

export function text(values: OptionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
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

/** Only `full` attention exists so far, and it has no budget: it attends to every key. */
export function checkPolicy(values: OptionValues): void {
  const policy = text(values, 'policy') ?? 'full';
  if (policy !== 'full') throw usageError(`There is no policy “${policy}”.`, 'Use --policy full, which attends to every key.');
  if (text(values, 'budget') !== undefined) {
    throw usageError('--budget does not apply to the policy “full”, which attends to every key.', 'Leave --budget out.');
  }
}
