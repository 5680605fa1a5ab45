/** The options of `longleaf eval`, and how their values are read. */
import { parsePolicies } from '../../bench/truth/policies.ts';
import { type SuiteName, suiteNames, suites } from '../../bench/truth/suites/suites.ts';
import type { KvAmount } from '../eval/evalProtocol.ts';
import { usageError } from './context.ts';
import type { EvalOptions } from './eval.ts';
import { integer, type OptionValues, readBytes, readFormat, readSparseReading, text } from './options.ts';

export const evalUsage =
  'eval SUITE[,SUITE] [--model ID|FILE] [--length N,N] [--depth 0.5,…] [--policy NAME[+estimate][:BUDGET][/SEEDS],…] [--budget 1%,2%] [--seeds N|A..B] ' +
  '[--kv-gpu BYTES|N%] [--kv-ram BYTES|N%] [--kv-format f16|q8] [--sparse-reading N%[@TOKENS]|off,…] [--data-sets FOLDER] [--book FILE] [--out FOLDER] [--processes N] [--lanes N] [--seconds N]';

export const evalSummary = `the truth bench: policies against full attention, on documents with known answers; goes on where it was stopped
      ${suiteNames.map((name) => `${name}: ${suites[name].summary}`).join('\n      ')}`;

export const evalOptions = {
  model: { type: 'string' },
  length: { type: 'string' },
  depth: { type: 'string' },
  policy: { type: 'string' },
  budget: { type: 'string' },
  seeds: { type: 'string' },
  'kv-gpu': { type: 'string' },
  'kv-ram': { type: 'string' },
  'kv-format': { type: 'string' },
  'sparse-reading': { type: 'string' },
  'data-sets': { type: 'string' },
  book: { type: 'string' },
  out: { type: 'string' },
  processes: { type: 'string' },
  lanes: { type: 'string' },
  seconds: { type: 'string' },
} as const;

export function readEval(given: string, values: OptionValues): EvalOptions {
  const named = given.split(',');
  const unknown = named.find((name) => !suiteNames.includes(name as SuiteName));
  if (unknown !== undefined) throw usageError(`There is no suite “${unknown}”.`, `Use one or more of: ${suiteNames.join(', ')}.`);
  return {
    suites: named as SuiteName[],
    model: text(values, 'model'),
    lengthsTokens: numbers(values, 'length', '2000', (number) => Number.isInteger(number) && number >= 16),
    depths: text(values, 'depth') === undefined ? [null] : numbers(values, 'depth', '', (number) => number >= 0 && number <= 1),
    seeds: readSeeds(text(values, 'seeds') ?? '10'),
    policies: readPolicies(values),
    sparseReadings: (text(values, 'sparse-reading') ?? 'off').split(',').map(readSparseReading),
    kv: { gpu: readAmount(values, 'kv-gpu', '25%'), ram: readAmount(values, 'kv-ram', '37.5%'), format: readFormat(text(values, 'kv-format')) },
    dataSets: text(values, 'data-sets'),
    book: text(values, 'book'),
    out: text(values, 'out') ?? 'out/truth',
    processes: integer(values, 'processes', 1, 64) ?? 1,
    lanes: integer(values, 'lanes', 1, 64) ?? 1,
    seconds: integer(values, 'seconds', 1, 10_000_000) ?? null,
  };
}

function readPolicies(values: OptionValues): EvalOptions['policies'] {
  try {
    return parsePolicies(text(values, 'policy') ?? 'sketch', (text(values, 'budget') ?? '2%').split(','));
  } catch (error) {
    throw usageError(`--policy or --budget: ${error instanceof Error ? error.message : String(error)}.`, 'Write for example --policy sketch,flat+estimate --budget 1%,2%.');
  }
}

function numbers(values: OptionValues, name: string, otherwise: string, isFine: (number: number) => boolean): number[] {
  const given = text(values, name) ?? otherwise;
  const list = given.split(',').map((one) => (one.trim() === '' ? NaN : Number(one)));
  if (list.every(isFine)) return list;
  throw usageError(`--${name} is “${given}”.`, name === 'depth' ? 'Write depths from 0 to 1, for example --depth 0,0.5,1.' : 'Write numbers of tokens, for example --length 2000,6000.');
}

/** `N`: the seeds 1 to N; `A..B`: those from A to B. */
function readSeeds(given: string): number[] {
  const [, first, last] = /^(?:(\d+)\.\.)?(\d+)$/.exec(given) ?? [];
  const from = Number(first ?? 1);
  const to = Number(last);
  if (last === undefined || to < from || to - from >= 100_000) throw usageError(`--seeds is “${given}”.`, 'Write how many documents, --seeds 20, or which seeds, --seeds 21..40.');
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function readAmount(values: OptionValues, name: string, otherwise: string): KvAmount {
  const percent = /^([\d.]+)%$/.exec(text(values, name) ?? otherwise);
  if (!percent) return { bytes: readBytes(values, name) ?? 0 };
  const share = Number(percent[1]) / 100;
  if (share > 0 && share <= 4) return { share };
  throw usageError(`--${name} is ${percent[0]}.`, 'Write a share of all keys and values in f16, for example 25%.');
}
