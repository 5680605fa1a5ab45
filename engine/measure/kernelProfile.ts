/**
 * Where a step's time goes: every kernel of the loaded model by itself, all layers of it in one pass,
 * with the weights, caches and bindings that answers use.
 */
import type { Device } from '../device/device.ts';
import { type Part, part, rowWork } from '../layers/part.ts';
import type { Step } from '../layers/step.ts';
import type { Runner } from '../runner.ts';
import type { Sampler } from '../sampling/sampler.ts';
import type { Roofs } from './roofs.ts';
import { type TimelineEntry, traceStep } from './timeline.ts';
import { timeEncoding, type TimingOptions } from './timing.ts';

export interface KernelTime {
  phase: 'reading' | 'decoding';
  name: string;
  /** Of a whole step, all layers together. */
  ms: number;
  gigaflops: number;
  gigabytesPerSecond: number;
  /** Which roof limits it: the one that its work would take longer at. */
  limit: 'arithmetic' | 'memory';
  /** The least time that the roof allows, as a share of the time taken. */
  roofShare: number;
}

export interface PhaseProfile {
  phase: 'reading' | 'decoding';
  /** The step that was measured. */
  step: Step;
  /** All kernels in their order in one pass. */
  wholeStepMs: number;
  kernels: KernelTime[];
  /** One such step by timestamps, null where the adapter has none. */
  timeline: TimelineEntry[] | null;
}

export interface ProfileOptions {
  /** Tokens of a prompt: reading is measured in its middle, decoding at its end. */
  promptTokens: number;
  roofs: Roofs;
  signal?: AbortSignal;
  timing?: TimingOptions;
  onProgress?: (done: number, total: number) => void;
}

interface PhaseStep {
  phase: KernelTime['phase'];
  step: Step;
  /** Everything that runs in the step, in order. */
  parts: Part[];
}

/** A chunk from the middle of a prompt, and the token after its end. */
export function stepsOf(runner: Runner, sampler: Sampler, promptTokens: number): PhaseStep[] {
  const rows = Math.min(runner.maxRows, promptTokens);
  const sampling = part(
    'choosing the token',
    { encode: (pass) => sampler.encode(pass, { logits: runner.logits, token: runner.tokens }) },
    rowWork(runner.spec.vocabularySize),
  );
  return [
    { phase: 'reading', step: { rows, position: Math.floor((promptTokens - rows) / 2) }, parts: [...runner.layers] },
    { phase: 'decoding', step: { rows: 1, position: promptTokens, team: runner.pace !== null }, parts: [...runner.layers, ...runner.head, sampling] },
  ];
}

/** Overwrites cached keys and values: the caller clears the sequence. A signal ends it early, with what was measured. */
export async function profileKernels(device: Device, runner: Runner, sampler: Sampler, options: ProfileOptions): Promise<PhaseProfile[]> {
  const phases = stepsOf(runner, sampler, options.promptTokens);
  const total = phases.reduce((sum, { parts }) => sum + partsByName(parts).size + 1, 0);
  let done = 0;
  const profiles: PhaseProfile[] = [];
  for (const { phase, step, parts } of phases) {
    runner.prepare(step);
    runner.prepareHead(1);
    const time = async (some: readonly Part[]): Promise<number> => {
      const { ms } = await timeEncoding(device, (pass) => some.forEach((one) => one.encode(pass, step)), { passes: 3, ...options.timing });
      options.onProgress?.(++done, total);
      return ms;
    };
    const profile: PhaseProfile = { phase, step, wholeStepMs: await time(parts), kernels: [], timeline: await traceStep(device, parts, step) };
    profiles.push(profile);
    for (const [name, some] of partsByName(parts)) {
      if (options.signal?.aborted) return profiles;
      // What another kernel does too takes no time of its own.
      if (some.every((one) => one.work(step).flops + one.work(step).bytes === 0)) {
        options.onProgress?.(++done, total);
        continue;
      }
      profile.kernels.push(compare(phase, name, some, step, await time(some), options.roofs));
    }
  }
  return profiles;
}

function partsByName(parts: readonly Part[]): Map<string, Part[]> {
  const groups = new Map<string, Part[]>();
  for (const one of parts) groups.set(one.name, [...(groups.get(one.name) ?? []), one]);
  return groups;
}

function compare(phase: KernelTime['phase'], name: string, parts: readonly Part[], step: Step, ms: number, roofs: Roofs): KernelTime {
  let flops = 0;
  let bytes = 0;
  for (const one of parts) {
    const work = one.work(step);
    flops += work.flops;
    bytes += work.bytes;
  }
  const arithmeticMs = flops / roofs.multiplyAddGigaflops / 1e6;
  const memoryMs = bytes / roofs.copyGigabytesPerSecond / 1e6;
  return {
    phase,
    name,
    ms,
    gigaflops: flops / ms / 1e6,
    gigabytesPerSecond: bytes / ms / 1e6,
    limit: arithmeticMs > memoryMs ? 'arithmetic' : 'memory',
    roofShare: Math.max(arithmeticMs, memoryMs) / ms,
  };
}
