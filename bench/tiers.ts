/**
 * Decoding with a context that is larger than the GPU's share, beside the same model with everything on the GPU:
 *
 *     longleaf bench tiers [--shape 1b|8b|small | --model FILE] [--tokens 131072] [--resident 8192] [--gpu-share 0.1667]
 *       [--formats f16,q8] [--policies sketch:2%,sketch:2%@8] [--misses lagged,strict] [--hits 1,0.95,0.9,0.8] [--steps 32] [--kernels]
 *       [--disk FOLDER] [--ram-share 0] [--one-thread] [--small] [--out FILE.jsonl]
 *
 * The model's weights and the context are noise, made in seconds; what is measured is not: the index scans all of it,
 * slots miss as often as --hits says, and misses come from RAM. `--hits any` asks for something else in every step.
 * Where slots could not hold what a policy chooses, its budget is made smaller, and the lines say so. JSON lines.
 * --disk keeps there what passes --ram-share of the f16 bytes, and says how fast that store reads.
 * --one-thread gathers misses without threads beside. --small runs on a software adapter in seconds. On a machine with the GPU pack: LONGLEAF_PACK_PROGRAM=tiers.js.
 */
import { appendFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EngineError } from '../engine/errors.ts';
import type { Policy } from '../engine/kv/tiers/policy.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { ChoiceFile } from '../host/gpu-worker/choiceFile.ts';
import { CopyThreads } from '../host/gpu-worker/copyThreads.ts';
import { SpillFolder } from '../host/gpu-worker/spillFolder.ts';
import { TransferFiles } from '../host/gpu-worker/transferFiles.ts';
import { FileWeightSource } from '../host/models/fileWeightSource.ts';
import { runFarBench } from './far/suites.ts';
import { modelShapes, type ShapeName, SyntheticModel } from './far/syntheticModel.ts';
import { parsePolicies } from './truth/policies.ts';

const { values } = parseArgs({
  options: {
    shape: { type: 'string' },
    model: { type: 'string' },
    tokens: { type: 'string' },
    resident: { type: 'string' },
    'gpu-share': { type: 'string' },
    formats: { type: 'string', default: 'f16,q8' },
    policies: { type: 'string', default: 'sketch:2%' },
    misses: { type: 'string', default: 'lagged,strict' },
    hits: { type: 'string', default: '1,0.95,0.9,0.8' },
    steps: { type: 'string' },
    kernels: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    'one-thread': { type: 'boolean', default: false },
    disk: { type: 'string' },
    'ram-share': { type: 'string', default: '0' },
    out: { type: 'string' },
  },
});

const shape = values.shape ?? (values.small ? 'small' : '1b');
if (!Object.hasOwn(modelShapes, shape)) throw new Error(`“${shape}” is not a shape; use one of ${Object.keys(modelShapes).join(', ')}`);
const usual = values.small ? { tokens: 4096, resident: 1024, gpuShare: 0.5, steps: 4, probeSteps: 3 } : { tokens: 131_072, resident: 8192, gpuShare: 1 / 6, steps: 32, probeSteps: 12 };
const policies: { label: string; policy: Policy }[] = parsePolicies(values.policies, ['2%']).flatMap(({ label, policy }) =>
  // One that rolls says so itself.
  (policy.misses ? [policy.misses] : values.misses.split(',')).map((misses) => {
    if (misses === 'rolling' && policy.misses === misses) return { label, policy };
    if (misses !== 'strict' && misses !== 'lagged') throw new Error(`--misses takes strict and lagged, not “${misses}”`);
    return { label, policy: { ...policy, misses } };
  }),
);
const device = await openAdapter({ boundsChecks: false });
const disk = values.disk === undefined ? null : new SpillFolder(values.disk);
process.on('exit', () => disk?.removeAll());
await runFarBench(device, {
  source: values.model ? await FileWeightSource.open(values.model) : new SyntheticModel(shape as ShapeName),
  choices: new ChoiceFile(process.env['LONGLEAF_CACHE'] ?? join(homedir(), '.cache', 'longleaf'), device.facts),
  copies: values['one-thread'] ? null : CopyThreads.forThisMachine(),
  longCopies: values['one-thread'] || device.facts.kind !== 'gpu' ? null : TransferFiles.forThisMachine(),
  disk: disk && { store: disk, ramShare: Number(values['ram-share']) },
  tokens: Number(values.tokens ?? usual.tokens),
  residentTokens: Number(values.resident ?? usual.resident),
  gpuShare: Number(values['gpu-share'] ?? usual.gpuShare),
  formats: values.formats.split(',').map((format) => (format === 'q8' ? 'q8' : 'f16')),
  policies,
  hitRatios: values.hits.split(',').map((ratio) => (ratio === 'any' ? null : Number(ratio))),
  steps: Number(values.steps ?? usual.steps),
  probeSteps: usual.probeSteps,
  largestShare: Math.max(...policies.map(({ policy }) => ('share' in policy.budget && policy.budget.share < 1 ? policy.budget.share : 0.02))),
  kernels: values.kernels,
  tell: (line) => {
    const words = JSON.stringify(line, (_, value: unknown) => (typeof value === 'number' && !Number.isInteger(value) ? Math.round(1e5 * value) / 1e5 : value));
    console.log(words);
    if (values.out) appendFileSync(values.out, `${words}\n`);
  },
  note: (text) => process.stderr.write(`${text}\n`),
}).catch((error: unknown) => {
  if (!(error instanceof EngineError)) throw error;
  process.stderr.write(`${error.message} ${error.remedy}\n`);
  process.exit(1);
});
// The adapter's threads would keep the process.
process.exit(0);
