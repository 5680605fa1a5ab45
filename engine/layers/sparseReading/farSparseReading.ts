/**
 * Sparse reading of layers whose keys lie beyond the GPU: all rows of a chunk choose together, for each key-value head, and
 * only what was chosen is read from RAM or disk and streams past them.
 */
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import type { Step } from '../step.ts';
import { bindBlockChoice, type BoundChoice, ChoiceNumbers, ChoiceScratch, type HeadShape } from './blockChoice.ts';
import { type BlockShares, blockShares, blockTokens, mostSparseRows, ReadingTally, type SparseReading } from './sparseReading.ts';

/** What the layers of a model share: they work one after the other. */
export class FarSparseReading {
  readonly setting: SparseReading;
  readonly tally = new ReadingTally();
  readonly #device: Device;
  readonly #shape: HeadShape;
  readonly #scratch: ChoiceScratch;
  readonly #numbers: ChoiceNumbers;
  readonly #readback: Readback;

  constructor(device: Device, setting: SparseReading, shape: HeadShape, contextTokens: number) {
    this.setting = setting;
    this.#device = device;
    this.#shape = shape;
    this.#scratch = new ChoiceScratch(device, shape, { contextTokens, maxRows: mostSparseRows });
    this.#numbers = new ChoiceNumbers(device);
    this.#readback = new Readback(device);
  }

  /** `queries`: of a whole chunk, [rows][heads·headDim]. */
  bind(queries: GPUBuffer, means: GPUBuffer): Promise<BoundChoice> {
    return bindBlockChoice(this.#device, { ...this.#shape, queries, means, scratch: this.#scratch, numbers: this.#numbers });
  }

  /** For a chunk behind `sealed` tokens. */
  sharesOf({ position }: Step, sealed: number): BlockShares {
    return blockShares(this.setting, position, sealed / blockTokens);
  }

  /** The chosen blocks of each key-value head, ascending. Submits the choice at once. */
  async choose(bound: BoundChoice, { rows }: Step, shares: BlockShares): Promise<Uint32Array[]> {
    this.#numbers.write(rows, shares);
    const encoder = this.#device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass({ label: 'choice of blocks' });
    bound.encode(pass, rows, shares);
    pass.end();
    this.#device.gpu.queue.submit([encoder.finish()]);
    const { blocks, list } = this.#scratch;
    const words = await this.#readback.words(list, 0, this.#shape.kvHeads * blocks);
    return Array.from({ length: this.#shape.kvHeads }, (_, kvHead) => words.subarray(kvHead * blocks, kvHead * blocks + shares.read));
  }

  free(): void {
    this.#scratch.free();
    this.#numbers.free();
    this.#readback.free();
  }
}
