/** Whether a model will run on this machine with a window of so many tokens, in bytes, with the reason. */
import type { GgufFile } from '../../engine/formats/gguf/readGguf.ts';
import { memoryNeeds, planContext } from '../../engine/memoryPlan.ts';
import { layerKinds } from '../../engine/models/layerKinds.ts';
import { describeModel } from '../../engine/models/registry.ts';
import type { Verdict } from '../contract/hub.ts';
import type { KvBudgets } from '../contract/policy.ts';
import { defaultKvSetting } from '../contract/policy.ts';
import { toFailure } from '../errors.ts';
import { formatBytes, formatCount } from '../wording.ts';
import { countParameters, quantisationName } from './inspectModel.ts';
import { defaultGpuKvBytes, defaultRamKvBytes } from './kvDefaults.ts';

export interface Machine {
  kind: 'gpu' | 'software';
  /** null: not known, or none of its own. */
  gpuBytes: number | null;
  ramBytes: number;
  freeRamBytes: number;
  /** Where downloads go. */
  diskFreeBytes: number;
}

export interface Candidate {
  file: GgufFile;
  /** Still to be fetched; 0 for what is here. */
  downloadBytes: number;
  headerBytes: number;
}

/** `wanted`: null is the whole context. */
export function judge({ file, downloadBytes, headerBytes }: Candidate, wanted: number | null, machine: Machine, budgets: KvBudgets): Verdict {
  const { metadata } = file;
  const architecture = metadata.stringOr('general.architecture', '') || null;
  const declared = architecture ? metadata.integerOr(`${architecture}.context_length`, 0) : 0;
  const disk = { neededBytes: Math.ceil(downloadBytes * 1.05), availableBytes: machine.diskFreeBytes };
  const known = { architecture, quantisation: quantisationName(file), parameters: countParameters(file), longestContextTokens: declared, downloadBytes, headerBytes };
  const nothing = { layers: [], weightsBytes: 0, kv: { gpuBytes: 0, ramBytes: 0, diskBytes: 0 }, workingBytes: 0, gpu: { neededBytes: 0, availableBytes: machine.gpuBytes }, ram: { neededBytes: 0, availableBytes: machine.ramBytes } };
  try {
    const spec = describeModel(file);
    const contextTokens = Math.min(wanted ?? spec.contextTokens, spec.contextTokens);
    const adapter = { kind: machine.kind, kvFormat: machine.kind === 'software' ? ('f32' as const) : ('f16' as const) };
    const gpuBudgetBytes = budgets.gpuBytes ?? defaultGpuKvBytes(machine.kind, { gpuBytes: machine.gpuBytes, modelBytes: fileBytes(file) });
    const { largestBudget, offload } = defaultKvSetting;
    const tiers = { gpuBudgetBytes, format: budgets.format, offload, ...('share' in largestBudget ? { largestShare: largestBudget.share } : { largestTokens: largestBudget.tokens }) };
    const plan = planContext(spec, adapter, contextTokens, { kvBudgetBytes: gpuBudgetBytes, tiers });
    const needs = memoryNeeds(file, spec, adapter, plan);
    const ramBytes = Math.min(needs.kv.beyondBytes, Math.floor(budgets.ramBytes ?? defaultRamKvBytes()));
    const kv = { gpuBytes: needs.kv.gpuBytes, ramBytes, diskBytes: needs.kv.beyondBytes - ramBytes };
    const onAdapter = needs.weightsBytes + kv.gpuBytes + needs.workingBytes;
    const isSoftware = machine.kind === 'software';
    const figures = {
      ...known,
      contextTokens,
      longestContextTokens: spec.contextTokens,
      layers: layerKinds(spec),
      weightsBytes: needs.weightsBytes,
      kv: { gpuBytes: Math.ceil(kv.gpuBytes), ramBytes: Math.ceil(kv.ramBytes), diskBytes: Math.ceil(kv.diskBytes) },
      workingBytes: needs.workingBytes,
      gpu: { neededBytes: isSoftware ? 0 : Math.ceil(onAdapter), availableBytes: machine.gpuBytes },
      // An adapter that computes on the processor has no memory of its own.
      ram: { neededBytes: Math.ceil(ramBytes + (isSoftware ? onAdapter : 0)), availableBytes: machine.ramBytes },
      disk: { ...disk, neededBytes: disk.neededBytes + Math.ceil(kv.diskBytes) },
    };
    return { ...figures, ...decide(figures, plan.tiers !== null, machine) };
  } catch (error) {
    const { code, message } = toFailure(error);
    const tooSmall = code === 'kv-budget-too-small';
    return { ...known, ...nothing, contextTokens: Math.min(wanted ?? declared, declared), disk, level: tooSmall ? 'too-large' : 'unsupported', reason: message };
  }
}

function fileBytes(file: GgufFile): number {
  return [...file.tensors.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, file.dataOffsetBytes);
}

type Figures = Omit<Verdict, 'level' | 'reason'>;

function decide({ gpu, ram, disk, kv, contextTokens }: Figures, offloads: boolean, { kind, ramBytes }: Machine): Pick<Verdict, 'level' | 'reason'> {
  const window = `${formatCount(contextTokens)} tokens`;
  if (disk.availableBytes !== null && disk.neededBytes > disk.availableBytes) {
    return { level: 'too-large', reason: `It needs ${formatBytes(disk.neededBytes)} on the disk, where ${formatBytes(disk.availableBytes)} are free.` };
  }
  if (gpu.availableBytes !== null && gpu.neededBytes > gpu.availableBytes) {
    return { level: 'too-large', reason: `With ${window} it needs ${formatBytes(gpu.neededBytes)} on the GPU, which has ${formatBytes(gpu.availableBytes)}.` };
  }
  if (ram.neededBytes > ramBytes * 0.9) {
    return { level: 'too-large', reason: `With ${window} it needs ${formatBytes(ram.neededBytes)} of memory, and this machine has ${formatBytes(ramBytes)}.` };
  }
  const where = kind === 'software' ? `${formatBytes(ram.neededBytes)} of memory` : `${formatBytes(gpu.neededBytes)} on the GPU`;
  const unknown = kind === 'gpu' && gpu.availableBytes === null ? ' How much the GPU has is not known.' : '';
  if (!offloads) return { level: 'fits', reason: `${capital(window)} take ${where}; everything fits there.${unknown}` };
  const beyond = kv.diskBytes > 0 ? `${formatBytes(kv.ramBytes)} of keys and values lie in memory and ${formatBytes(kv.diskBytes)} on disk` : `${formatBytes(kv.ramBytes)} of keys and values lie in memory`;
  return { level: 'offloads', reason: `${capital(window)} take ${where}; ${beyond} and are found again when they are wanted.${unknown}` };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
