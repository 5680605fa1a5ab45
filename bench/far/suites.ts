/**
 * Long contexts at speed: a model of a given shape with random weights, and a context of noise that went through rings,
 * sealing and index as reading does, so that 128 000 tokens are there in seconds.
 */
import type { Device } from '../../engine/device/device.ts';
import type { FarContext } from '../../engine/kv/tiers/farContext.ts';
import { type Policy, usualTurnSteps, wantedTokens } from '../../engine/kv/tiers/policy.ts';
import type { FarFormat } from '../../engine/kv/tiers/record.ts';
import type { ChoiceCache } from '../../engine/layers/linear/linear.ts';
import { loadModel, type LoadedModel } from '../../engine/model.ts';
import { kvBytes, type ModelSpec } from '../../engine/models/spec.ts';
import { describeModel } from '../../engine/models/registry.ts';
import { readGguf } from '../../engine/formats/gguf/readGguf.ts';
import { sinkTokens } from '../../engine/retrieval/layout.ts';
import type { BlockStore, LongCopies, SharedCopies, WeightSource } from '../../engine/ports.ts';
import { DecodeBench, type DecodeFigures, type FarFigures } from './measureDecode.ts';
import { measureDisk } from './diskSpeed.ts';
import { DriftingQueries } from './driftingQueries.ts';
import { fillContext } from './syntheticContext.ts';

export interface FarBenchOptions {
  source: WeightSource;
  choices: ChoiceCache;
  /** Threads that gather misses; null where one does it. */
  copies?: SharedCopies | null;
  longCopies?: LongCopies | null;
  /** Where what does not fit RAM goes, and the share of the f16 keys' and values' bytes that RAM may have; null keeps all in RAM. */
  disk?: { store: BlockStore; ramShare: number } | null;
  /** Of the far context, and of the one that is wholly on the GPU and compared with. */
  tokens: number;
  residentTokens: number;
  /** Of the f16 keys' and values' bytes, index and slots included. */
  gpuShare: number;
  formats: readonly FarFormat[];
  policies: readonly { label: string; policy: Policy }[];
  /** null: every step asks for something else. */
  hitRatios: readonly (number | null)[];
  steps: number;
  /** Of each round that looks for the angle that gives a hit ratio. */
  probeSteps: number;
  /** Most far tokens that a head may attend to exactly. */
  largestShare: number;
  kernels: boolean;
  tell(line: object): void;
  note(text: string): void;
}

export interface FarLine extends DecodeFigures, FarFigures {
  bench: 'tiers';
  format: FarFormat;
  policy: string;
  misses: NonNullable<Policy['misses']>;
  wantedHitRatio: number | null;
  /** Of the speed with everything on the GPU at `residentTokens`. */
  ofResident: number;
}

/** Measures all of it, a line for each format × policy × hit ratio, after one for the resident context. */
export async function runFarBench(device: Device, options: FarBenchOptions): Promise<FarLine[]> {
  const { source, tokens, residentTokens, formats, policies, hitRatios, steps, probeSteps, tell, note } = options;
  const spec = describeModel(await readGguf(source));
  const common = { model: source.name, adapter: device.facts.name, tokens };
  const resident = await measureResident(device, options);
  tell({ bench: 'resident', ...common, tokens: residentTokens, ...resident });
  if (options.disk) tell({ bench: 'disk', ...(await measureDisk(options.disk.store)) });
  const lines: FarLine[] = [];
  for (const format of formats) {
    const model = await openFar(device, spec, format, options);
    const { far } = model.runner;
    if (!far) throw new RangeError(`${tokens} tokens fit the GPU`);
    const { ms } = await fillContext(device, model, { tokens, onProgress: (done) => note(`${done} of ${tokens} tokens`) });
    const queries = await DriftingQueries.insert(device, model.runner, far);
    const bench = await DecodeBench.create(device, model);
    const { layout, slots, bytes } = far.plan;
    const halfBytes = kvBytes(spec, tokens, 2, 0).full;
    const { kvBytes: onGpuBytes } = device.memory.report();
    tell({ bench: 'context', ...common, format, fillMs: Math.round(ms), planes: layout.planes, slots, plan: bytes, gpuBytes: onGpuBytes, halfKvBytes: halfBytes, gpuShare: onGpuBytes / halfBytes, outside: far.store.bytes });
    for (const asked of policies) {
      const { label, policy } = hitRatios.some((ratio) => ratio !== null) ? holdable(asked, far) : asked;
      far.policy = policy;
      // Where layers take turns, each should have had some.
      const turnSteps = policy.misses === 'rolling' ? (policy.turnSteps ?? usualTurnSteps) : 1;
      for (const wanted of hitRatios) {
        const chooses = policy.name !== 'full' && policy.name !== 'window';
        if (wanted === null || !chooses) queries.angle = Math.PI / 2;
        else await bench.calibrate(far, queries, wanted, { settle: Math.max(probeSteps, 3 * turnSteps), probe: Math.max(probeSteps, 2 * turnSteps) });
        await bench.decode(Math.min(steps, probeSteps));
        const figures = await bench.decodeFar(far, steps);
        const line: FarLine = { bench: 'tiers', ...common, format, policy: label, misses: policy.misses ?? 'strict', wantedHitRatio: chooses ? wanted : null, ...figures, ofResident: figures.tokensPerSecond / resident.tokensPerSecond };
        lines.push(line);
        tell(line);
        if (!chooses) break;
      }
      if (options.kernels) tell({ bench: 'kernels', ...common, format, policy: label, misses: policy.misses ?? 'strict', kernels: await bench.kernels() });
    }
    model.free();
  }
  return lines;
}

/** Of the slots, those that a choice may fill: what changes from step to step needs the others. */
const filledShare = 0.75;

/**
 * The policy, with a smaller budget where slots could not hold what it chooses: it would then miss most of it however
 * little its choice changes.
 */
function holdable({ label, policy }: FarBenchOptions['policies'][number], far: FarContext): FarBenchOptions['policies'][number] {
  const most = Math.floor(filledShare * (far.plan.slots - sinkTokens));
  if (policy.name === 'full' || policy.name === 'window' || wantedTokens(policy, far.farTokens, far.plan.maxSelected) <= most) return { label, policy };
  const percent = ((100 * most) / far.farTokens).toFixed(2);
  return { label: `${label.replace(/ [\d.]+%/, ` ${percent}%`)} (what slots hold)`, policy: { ...policy, budget: { tokens: most } } };
}

async function openFar(device: Device, spec: ModelSpec, format: FarFormat, { source, choices, copies, longCopies, disk, tokens, gpuShare, steps, largestShare, policies }: FarBenchOptions): Promise<LoadedModel> {
  // Room for what is decoded behind it.
  const contextTokens = tokens + 1024 + 2 * steps;
  const halfBytes = kvBytes(spec, tokens, 2, 0).full;
  const gpuBudgetBytes = Math.floor(gpuShare * halfBytes);
  const mayLackSketch = policies.every(({ policy }) => policy.name !== 'sketch');
  device.memory.limit('kv', device.memory.report().kvBytes + gpuBudgetBytes);
  return loadModel(device, source, { choices, contextTokens, kvBudgetBytes: Infinity, tiers: { gpuBudgetBytes, ramBudgetBytes: disk ? disk.ramShare * halfBytes : Infinity, format, disk: disk?.store ?? null, copies, longCopies, offload: 'always', largestShare, mayLackSketch } });
}

/** A context of zeros: what attention reads does not depend on what it reads. */
async function measureResident(device: Device, { source, choices, residentTokens, steps, probeSteps, kernels }: FarBenchOptions): Promise<DecodeFigures & { kernels?: object | null }> {
  const model = await loadModel(device, source, { choices, contextTokens: residentTokens + 1024, kvBudgetBytes: Infinity });
  for (let i = 0; i < residentTokens; i++) model.sequence.append(0);
  const bench = await DecodeBench.create(device, model);
  await bench.decode(probeSteps);
  const figures = await bench.decode(steps);
  const line = kernels ? { ...figures, kernels: await bench.kernels() } : figures;
  model.free();
  return line;
}
