/** A kernel in its place in the model: what the runner encodes and what `longleaf bench` measures. */
import type { Submissions } from '../device/submissions.ts';
import type { Step } from './step.ts';

/** What a kernel has to do at the least, whatever its shape: the measure of how well it does it. */
export interface Work {
  /** Multiplications and additions. */
  flops: number;
  /** What has to be read and written once. */
  bytes: number;
}

/** Rows [first, first + rows) of a chunk. */
export interface RowBlock {
  first: number;
  rows: number;
}

export interface ChunkRun {
  submissions: Submissions;
  signal?: AbortSignal;
}

/** Acts on all rows of a chunk at once, while the other parts see a block of them at a time. */
export interface ChunkPart {
  /** Takes what it needs from a block that has passed the parts before it. */
  collect(encoder: GPUCommandEncoder, block: RowBlock): void;
  /** When it has all blocks. Submits its own work; throws `cancelled`. */
  attend(chunk: Step, run: ChunkRun): Promise<void>;
  /** Gives a block's results to the parts after it. */
  distribute(encoder: GPUCommandEncoder, block: RowBlock, chunk: Step): void;
}

export interface Part {
  /** The same in every layer, e.g. `gate and up`. */
  name: string;
  encode(pass: GPUComputePassEncoder, step: Step): void;
  /**
   * What has to happen on the CPU after this part and before the next one is submitted, if anything: it gets the
   * encoder, which it must submit before it waits for anything. The parts after it are encoded meanwhile.
   */
  between?(step: Step): ((encoder: GPUCommandEncoder) => Promise<void>) | null;
  /** Takes the place of `encode` when a chunk is read in blocks. */
  chunk?: ChunkPart;
  /** Left out when a chunk is read in blocks. */
  decodingOnly?: boolean;
  work(step: Step): Work;
}

/** Gives something bound its name and its work. */
export function part(name: string, bound: Pick<Part, 'encode'>, work: (step: Step) => Work): Part {
  return { name, encode: (pass, step) => bound.encode(pass, step), work };
}

/** `together` for a row alone that a team may compute, while `allowed`; else `apart`. Both do the same. */
export function aloneOrApart(together: Part, apart: readonly Part[], allowed: () => boolean): Part[] {
  const alone = ({ rows, team = false }: Step): boolean => rows === 1 && team && allowed();
  const only = (one: Part, when: (step: Step) => boolean): Part => ({
    ...one,
    encode: (pass, step) => {
      if (when(step)) one.encode(pass, step);
    },
    work: (step) => (when(step) ? one.work(step) : { flops: 0, bytes: 0 }),
  });
  return [only(together, alone), ...apart.map((one) => only(one, (step) => !alone(step)))];
}

/** For kernels whose few operations nobody counts: every value of every row is read or written once. */
export function rowWork(valuesPerRow: number): (step: Step) => Work {
  return ({ rows }) => ({ flops: 0, bytes: 4 * rows * valuesPerRow });
}

/** A matrix product that reads its weights once. */
export function productWork(weights: { shape: { outputs: number; inputs: number }; sizeBytes: number }): (step: Step) => Work {
  const { outputs, inputs } = weights.shape;
  return ({ rows }) => ({ flops: 2 * rows * outputs * inputs, bytes: weights.sizeBytes + 4 * rows * (inputs + outputs) });
}

export function sumOfWork(all: readonly ((step: Step) => Work)[]): (step: Step) => Work {
  return (step) => all.map((work) => work(step)).reduce((a, b) => ({ flops: a.flops + b.flops, bytes: a.bytes + b.bytes }));
}

/** Causal attention that reads each key and value once; its products, not its exponentials. */
export function attentionWork(shape: {
  heads: number;
  kvHeads: number;
  headDim: number;
  window: number | null;
  bytesPerValue: number;
}): (step: Step) => Work {
  const { heads, kvHeads, headDim, bytesPerValue } = shape;
  const window = shape.window ?? Infinity;
  return ({ rows, position }) => {
    let pairs = 0;
    for (let row = 0; row < rows; row++) pairs += Math.min(position + row + 1, window);
    const seen = Math.min(position + rows, window + rows - 1);
    return {
      flops: 4 * heads * headDim * pairs,
      bytes: 2 * kvHeads * headDim * seen * bytesPerValue + 2 * 4 * rows * heads * headDim,
    };
  };
}
