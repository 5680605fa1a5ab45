/**
 * Matrix products with packed weights: y = x · Wᵀ for one token (decode) or a chunk of tokens
 * (prefill), and the embedding lookup from the same weights. Which kernels run is chosen for the
 * adapter; callers see only this interface.
 */
import type { Device } from '../../device/device.ts';
import type { Step } from '../step.ts';
import { bindEmbedding, type EmbeddingBinding } from './embedding.ts';
import type { SourceMatrix } from './matrix.ts';
import { bindProduct, type ProductBinding } from './product.ts';
import { type ChoiceCache, chooseFamily } from './choice.ts';
import type { Codes } from './rivals.ts';
import { type FamilyName, familyOf } from './variants.ts';
import { type Preferences, workgroupFamily } from './workgroup.ts';
import { chooseTeam, dismissTeams } from '../team/choice.ts';
import { WeightUploader } from './uploader.ts';
import { limitsOf, type LinearWeights } from './weights.ts';

export type { ChoiceCache } from './choice.ts';
export type { SourceMatrix } from './matrix.ts';
export { LinearWeights } from './weights.ts';
export type { ProductBinding } from './product.ts';
export type { EmbeddingBinding } from './embedding.ts';

export interface BoundLinear {
  /** Adds the product for `step.rows` rows to the pass; the same numbers must lie in the step buffer. */
  encode(pass: GPUComputePassEncoder, step: Step): void;
  /** Which of what its binding names (`norm`, `gate`) a step's product does itself; the caller does the rest. */
  includes?(step: Step): { norm: boolean; gate: boolean };
}

export interface LinearKernels {
  /** Workgroups that run at once and may be made a team (layers/team) for a row alone; 0 for none. */
  teamMembers: number;
  /** A member came late: no more teams, until they are measured again at another start. */
  dismissTeams(): void;
  /** Names of the chosen variants and why, for `doctor`. */
  describe(): Record<string, string>;
  /**
   * Packs and uploads. Several sources of equal inputs are stacked along the outputs (fused q|k|v,
   * gate|up), even when their formats differ. Splits by the adapter's binding limit.
   */
  upload(name: string, sources: readonly SourceMatrix[]): Promise<LinearWeights>;
  /** After the last of a model's uploads: gives their staging memory back. */
  finishUploads(): Promise<void>;
  /** output[row][outputs] (+)= input[row][inputs] · Wᵀ for step.rows rows; f32, row-major. */
  bind(weights: LinearWeights, io: ProductBinding): Promise<BoundLinear>;
  /** output[row][inputs] = scale · W[tokens[row]][…] for step.rows rows. */
  bindEmbedding(weights: LinearWeights, io: EmbeddingBinding): Promise<BoundLinear>;
}

/** For tests and benchmarks; the defaults are the measured choice and the adapter's limit. */
export interface LinearOptions {
  /** Family of kernels to use whatever the measurement says. */
  family?: FamilyName;
  /** Kernels to use for GPUs whatever the measurement says. */
  preferences?: Preferences;
  bindingLimitBytes?: number;
  /** What the weights are stored as: kernels for others are not measured. Left out, all. */
  codes?: ReadonlySet<Codes>;
  /** Members of a team, 0 for none; left out, as measured. */
  teamMembers?: number;
}

export async function createLinearKernels(device: Device, cache: ChoiceCache, options: LinearOptions = {}): Promise<LinearKernels> {
  const { family, why } = options.preferences
    ? { family: workgroupFamily(device, options.preferences), why: 'asked for' }
    : options.family
      ? { family: familyOf(device, options.family), why: 'asked for' }
      : await chooseFamily(device, cache, options.codes ?? new Set(['u4', 'u8', 'f16']));
  let team = options.teamMembers === undefined && family.teams ? await chooseTeam(device, cache, family) : { members: options.teamMembers ?? 0, why: 'asked for' };
  const uploader = new WeightUploader(device, family.layout, limitsOf(device, options.bindingLimitBytes));
  return {
    teamMembers: team.members,
    dismissTeams: () => {
      team = dismissTeams(device, cache, family);
    },
    describe: () => ({ ...family.describe(), ...(family.teams ? { team: `${team.members || 'no'} members (${team.why})` } : {}), weights: `${family.name} layout (${why})` }),
    upload: (name, sources) => uploader.upload(name, sources),
    finishUploads: () => uploader.finish(),
    bind: (weights, io) => bindProduct(device, family, weights, io),
    bindEmbedding: (weights, io) => bindEmbedding(device, weights, io),
  };
}
