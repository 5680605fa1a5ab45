/** `longleaf bench tiers`: how fast answers are beyond the GPU. bench/tiers.ts measures it, in a process of its own. */
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { cancelled, HostError } from '../errors.ts';
import { tiersEntry } from '../locations.ts';
import { type CommandContext, usageError } from './context.ts';
import { integer, oneOf, type OptionValues, text } from './options.ts';

const lists = { formats: /^(f16|q8)(,(f16|q8))*$/, policies: /^[a-z].*$/, misses: /^(lagged|strict)(,(lagged|strict))*$/, hits: /^(any|[01]|0?\.\d+)(,(any|[01]|0?\.\d+))*$/ };

export const tiersOptions = {
  ...Object.fromEntries(['shape', 'tokens', 'resident', 'gpu-share', 'disk', 'ram-share', 'steps', ...Object.keys(lists)].map((name) => [name, { type: 'string' as const }])),
  kernels: { type: 'boolean' as const },
  small: { type: 'boolean' as const },
};

/** The program's options; what it could not understand is refused here. */
export function readTiers(values: OptionValues): string[] {
  oneOf(values, 'shape', ['1b', '8b', 'small']);
  for (const name of ['tokens', 'resident', 'steps']) integer(values, name, 1, 2 ** 21);
  const share = text(values, 'gpu-share');
  if (share !== undefined && !(Number(share) > 0 && Number(share) <= 1)) throw usageError(`--gpu-share is “${share}”, not a share of the keys and values.`, 'Write for example --gpu-share 0.25.');
  const disk = text(values, 'disk');
  if (disk !== undefined && !statSync(disk, { throwIfNoEntry: false })?.isDirectory()) throw usageError(`--disk is “${disk}”, which is no folder.`, 'Make the folder first, on the disk that is to be measured.');
  const ramShare = text(values, 'ram-share');
  if (ramShare !== undefined && disk === undefined) throw usageError('--ram-share says what RAM may have of what else is on --disk, and there is no --disk.', 'Write for example --disk FOLDER --ram-share 0.25.');
  if (ramShare !== undefined && !(Number(ramShare) >= 0 && Number(ramShare) <= 1)) throw usageError(`--ram-share is “${ramShare}”, not a share of the keys and values.`, 'Write for example --ram-share 0.25.');
  for (const [name, pattern] of Object.entries(lists)) {
    const given = text(values, name);
    if (given !== undefined && !pattern.test(given)) throw usageError(`--${name} is “${given}”.`, `See “longleaf --help”; several are divided by commas.`);
  }
  return ['model', ...Object.keys(tiersOptions)].flatMap((name) => {
    const given = values[name];
    return given === true ? [`--${name}`] : typeof given === 'string' ? [`--${name}`, given] : [];
  });
}

const line = z.looseObject({ bench: z.string() });
const resident = z.object({ model: z.string(), adapter: z.string(), tokens: z.number(), stepMs: z.number(), tokensPerSecond: z.number() });
const diskSpeed = z.object({ blockBytes: z.number(), blocksPerSecond: z.number(), runBytesPerSecond: z.number() });
const measured = z.object({
  tokens: z.number(),
  format: z.string(),
  policy: z.string(),
  misses: z.string(),
  hitRatio: z.number(),
  stepMs: z.number(),
  tokensPerSecond: z.number(),
  ofResident: z.number(),
});

/** `options` are those of bench/tiers.ts, whose lines `--json` prints as they are. */
export async function benchTiers({ output, signal }: CommandContext, options: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [tiersEntry(), ...options], { stdio: ['ignore', 'pipe', 'inherit'], signal });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve).once('error', reject);
  });
  // Whoever waits for it hears of a failure.
  ended.catch(() => undefined);
  for await (const text of createInterface({ input: child.stdout })) {
    const told = line.parse(JSON.parse(text));
    output.event({ event: told.bench, ...told });
    output.text(formatLine(told));
  }
  const status = await ended.catch((error: unknown) => {
    throw signal.aborted ? cancelled() : error;
  });
  if (status !== 0) {
    throw new HostError('bench-failed', `The bench of tiers ended with ${status === null ? 'a signal' : `status ${status}`}; what went wrong is above.`, 'Try fewer --tokens, or more --gpu-share.');
  }
}

function formatLine(told: z.infer<typeof line>): string {
  if (told.bench === 'resident') {
    const { model, adapter, tokens, stepMs, tokensPerSecond } = resident.parse(told);
    return `${model} on ${adapter}\n  ${tokens} tokens, all on the GPU: ${tokensPerSecond.toFixed(1)} tokens/s, ${stepMs.toFixed(2)} ms a step\n`;
  }
  if (told.bench === 'disk') {
    const { blockBytes, blocksPerSecond, runBytesPerSecond } = diskSpeed.parse(told);
    return `  the disk reads ${Math.round(blocksPerSecond)} blocks of ${blockBytes} bytes a second, or ${(runBytesPerSecond / 1e9).toFixed(2)} GB/s of long runs\n`;
  }
  if (told.bench !== 'tiers') return '';
  const { tokens, format, policy, misses, hitRatio, stepMs, tokensPerSecond, ofResident } = measured.parse(told);
  return (
    `  ${tokens} tokens, ${format}, ${policy}, ${misses}: ${(100 * hitRatio).toFixed(1)} % of the chosen keys in slots, ` +
    `${tokensPerSecond.toFixed(1)} tokens/s, ${stepMs.toFixed(2)} ms a step, ${ofResident.toFixed(2)} of the speed with all on the GPU\n`
  );
}
