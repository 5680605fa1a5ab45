/** The sampling settings as data: bounds and steps as the contract has them. */
import type { Sampling, Settings } from '../../../host/contract/entities.ts';

export type SamplingNumber = Exclude<keyof Sampling, 'seed'>;

export interface SamplingField {
  name: SamplingNumber;
  least: number;
  most: number;
  step: number;
  whole: boolean;
  /** The part of the range a slider covers; none: only a number field. */
  sliderMost?: number;
  /** Has no effect when the temperature is 0. */
  onlyRandom: boolean;
}

export const samplingFields: readonly SamplingField[] = [
  { name: 'temperature', least: 0, most: 5, step: 0.05, whole: false, sliderMost: 2, onlyRandom: false },
  { name: 'topK', least: 0, most: 1000, step: 1, whole: true, onlyRandom: true },
  { name: 'topP', least: 0, most: 1, step: 0.01, whole: false, sliderMost: 1, onlyRandom: true },
  { name: 'minP', least: 0, most: 1, step: 0.01, whole: false, sliderMost: 1, onlyRandom: true },
  { name: 'repetitionPenalty', least: 0.5, most: 2, step: 0.01, whole: false, sliderMost: 2, onlyRandom: false },
  { name: 'maxTokens', least: 1, most: 32_768, step: 64, whole: true, onlyRandom: false },
];

/** What a new chat begins with, if this model answers in it. */
export function newChatSampling({ modelSampling, defaultSampling }: Pick<Settings, 'modelSampling' | 'defaultSampling'>, modelId: string | null): Sampling {
  return (modelId !== null && modelSampling[modelId]) || defaultSampling;
}

/** What was typed, if it is a value the contract takes. */
export function parseSetting(field: Pick<SamplingField, 'least' | 'most' | 'whole'>, typed: string): number | null {
  const value = Number(typed);
  if (typed.trim() === '' || !Number.isFinite(value) || value < field.least || value > field.most) return null;
  return field.whole && !Number.isInteger(value) ? null : value;
}

export const seedField = { least: 0, most: 0xffff_ffff, whole: true };
