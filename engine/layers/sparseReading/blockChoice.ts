/** Chooses the blocks of keys that a block of rows attends to: scores of sampled queries, their sums, the choice. */
import choiceText from '../../../shaders/reading_choice.wgsl';
import numbersText from '../../../shaders/reading_numbers.wgsl';
import scoresText from '../../../shaders/reading_scores.wgsl';
import sumsText from '../../../shaders/reading_sums.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { packUniforms } from '../../device/uniforms.ts';
import { sharedUniform } from '../pointwise/bound.ts';
import { blocksOf } from './keyMeans.ts';
import { type BlockShares, meansPerBlock } from './sparseReading.ts';

/** Rows whose queries speak for the others, evenly spread: one in eight of a block of rows, no more than this. */
const mostSampled = 32;
const rowsPerSample = 8;
const invocations = { gpu: 256, software: 64 };

export interface HeadShape {
  heads: number;
  kvHeads: number;
  headDim: number;
}

/** What layers share that choose one after the other. */
export class ChoiceScratch {
  /** [kvHead][sampled · group][blocks] f32 and [kvHead][sampled · group] f32. */
  readonly scores: GPUBuffer;
  readonly sums: GPUBuffer;
  /** [kvHead][blocks] f32. */
  readonly importance: GPUBuffer;
  /** [kvHead][blocks] u32: what was chosen, ascending. */
  readonly list: GPUBuffer;
  readonly blocks: number;
  readonly #device: Device;

  constructor(device: Device, { heads, kvHeads }: HeadShape, { contextTokens, maxRows }: { contextTokens: number; maxRows: number }) {
    const storage = (label: string, numbers: number): GPUBuffer => device.memory.storage('activations', label, 4 * numbers);
    const sampled = sampledRows(maxRows);
    this.#device = device;
    this.blocks = blocksOf(contextTokens);
    this.scores = storage('scores of blocks', sampled * heads * this.blocks);
    this.sums = storage('sums of scores', sampled * heads);
    this.importance = storage('importance of blocks', kvHeads * this.blocks);
    this.list = storage('chosen blocks', kvHeads * this.blocks);
  }

  free(): void {
    for (const buffer of [this.scores, this.sums, this.importance, this.list]) this.#device.memory.free(buffer);
  }
}

export function sampledRows(rows: number): number {
  return Math.max(1, Math.min(mostSampled, Math.ceil(rows / rowsPerSample)));
}

/** The numbers of one choice; written before the submission that makes it. */
export class ChoiceNumbers {
  readonly buffer: GPUBuffer;
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
    this.buffer = device.memory.allocate('activations', 'numbers of a choice', 32, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  }

  write(rows: number, { blocks, nearBlock, wanted }: BlockShares): void {
    this.#device.gpu.queue.writeBuffer(this.buffer, 0, packUniforms([rows, sampledRows(rows), blocks, nearBlock, wanted]));
  }

  free(): void {
    this.#device.memory.free(this.buffer);
  }
}

export interface ChoiceBuffers extends HeadShape {
  /** [rows][heads · headDim] f32, scaled; may begin inside a buffer. */
  queries: GPUBuffer | GPUBufferBinding;
  /** Of `bindKeyMeans`. */
  means: GPUBuffer;
  scratch: ChoiceScratch;
  numbers: ChoiceNumbers;
}

export interface BoundChoice {
  /** `rows` and `shares` are those that the numbers were written for. */
  encode(pass: GPUComputePassEncoder, rows: number, shares: BlockShares): void;
}

/** Leaves the numbers of the chosen blocks in the scratch's list. */
export async function bindBlockChoice(device: Device, { heads, kvHeads, headDim, queries, means, scratch, numbers }: ChoiceBuffers): Promise<BoundChoice> {
  const group = heads / kvHeads;
  const kernel = (label: string, text: string, constants: Record<string, number>) => device.kernels.get({ label, texts: [numbersText, text], constants: { ...constants, GROUP: group } });
  const together = { INVOCATIONS: invocations[device.facts.kind] };
  const [scoring, summing, choosing] = await Promise.all([
    kernel('reading_scores', scoresText, { HEAD_UNITS: headDim / 4 }),
    kernel('reading_sums', sumsText, together),
    kernel('reading_choice', choiceText, together),
  ]);
  const shape = sharedUniform(device, 'shape of a choice', [heads, scratch.blocks * meansPerBlock, scratch.blocks]);
  const scores = { kernel: scoring, bindings: scoring.bind(numbers.buffer, shape, queries, means, scratch.scores) };
  const sums = { kernel: summing, bindings: summing.bind(numbers.buffer, shape, scratch.scores, scratch.sums) };
  const choice = { kernel: choosing, bindings: choosing.bind(numbers.buffer, shape, scratch.scores, scratch.sums, scratch.importance, scratch.list) };
  return {
    encode(pass, rows, { blocks }) {
      const sampled = sampledRows(rows) * group;
      encodeDispatch(pass, scores, Math.ceil(blocks / 64), kvHeads, Math.ceil(sampled / 4));
      encodeDispatch(pass, sums, sampled, kvHeads);
      encodeDispatch(pass, choice, kvHeads);
    },
  };
}
