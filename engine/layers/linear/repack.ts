/**
 * Weights that go to the GPU as they lie in the file and are repacked there, into what packing.ts would write: the CPU
 * only reads. Rows stream through a ring of mapped buffers, several of which are being read or copied at once.
 */
import repackNumbers from '../../../shaders/repack_numbers.wgsl';
import repackSimpleBlocks from '../../../shaders/repack_simple_blocks.wgsl';
import repackSuperBlocks from '../../../shaders/repack_super_blocks.wgsl';
import repackTableBlocks from '../../../shaders/repack_table_blocks.wgsl';
import repack from '../../../shaders/repack.wgsl';
import type { Device } from '../../device/device.ts';
import { type Dispatch, encodeDispatch } from '../../device/kernel.ts';
import type { ShaderConstants } from '../../device/shader.ts';
import { packUniforms } from '../../device/uniforms.ts';
import type { UploadRing } from '../../device/uploadRing.ts';
import { tensorType, type TensorTypeName } from '../../formats/quantisation/tensorTypes.ts';
import { formatConstants } from './format.ts';
import type { StoredMatrix } from './matrix.ts';
import { storedRowBytes } from './storedRows.ts';
import { bindingsOf, type WeightPart } from './weights.ts';

interface Unpacking {
  text: string;
  constants: ShaderConstants;
}

const simple = (quantsAt: number, hasOffsets: boolean, fifthBits: boolean): Unpacking => ({
  text: repackSimpleBlocks,
  constants: { QUANTS_AT: quantsAt, HAS_OFFSETS: hasOffsets, FIFTH_BITS: fifthBits },
});
const oneOf = (text: string, names: readonly string[], name: string): Unpacking => ({
  text,
  constants: Object.fromEntries(names.map((other) => [other, other === name])),
});
const superBlock = (name: string): Unpacking => oneOf(repackSuperBlocks, ['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'], name);
const tableBlock = (name: string): Unpacking => oneOf(repackTableBlocks, ['IQ4_NL', 'IQ4_XS', 'MXFP4'], name);
const numbers: Unpacking = { text: repackNumbers, constants: {} };

const unpackings: Partial<Record<TensorTypeName, Unpacking>> = {
  Q4_0: simple(2, false, false),
  Q4_1: simple(4, true, false),
  Q5_0: simple(6, false, true),
  Q5_1: simple(8, true, true),
  Q8_0: simple(2, false, false),
  Q2_K: superBlock('Q2_K'),
  Q3_K: superBlock('Q3_K'),
  Q4_K: superBlock('Q4_K'),
  Q5_K: superBlock('Q5_K'),
  Q6_K: superBlock('Q6_K'),
  IQ4_NL: tableBlock('IQ4_NL'),
  IQ4_XS: tableBlock('IQ4_XS'),
  MXFP4: tableBlock('MXFP4'),
  F16: numbers,
  BF16: numbers,
  F32: numbers,
};

export function canRepack(type: TensorTypeName): boolean {
  return type in unpackings;
}

/** Rows of a stored matrix that become columns of a part, and where in the part. */
export interface StoredRange {
  source: StoredMatrix;
  firstRow: number;
  rows: number;
  /** Column of the part that receives `firstRow`. */
  column: number;
}

const workgroupColumns = 64;
/** The kernels read a word past the last. */
const spareBytes = 16;

export class Repacker {
  readonly #device: Device;
  readonly #ring: UploadRing;
  readonly #chunkBytes: number;
  readonly #raw: GPUBuffer;
  readonly #shape: GPUBuffer;
  readonly #underWay = new Set<Promise<void>>();
  #failure: { error: unknown } | null = null;

  /** `chunkBytes`: what a buffer of the ring holds. */
  constructor(device: Device, ring: UploadRing, chunkBytes: number) {
    this.#device = device;
    this.#ring = ring;
    this.#chunkBytes = chunkBytes;
    this.#raw = device.memory.storage('staging', 'bytes to repack', chunkBytes + spareBytes);
    this.#shape = device.memory.allocate('staging', 'rows to repack', 32, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  }

  /**
   * Resolves when all rows of the range are on their way into the part (zeroed before), of which `settle`
   * waits for the last. `extent` receives what bfloat16 loses as halves (repack_numbers.wgsl). Throws what an earlier
   * range failed with.
   */
  async fill(part: WeightPart, range: StoredRange, extent: GPUBuffer | null): Promise<void> {
    const { source, firstRow, rows, column } = range;
    const rowBytes = storedRowBytes(source);
    const rowsPerChunk = Math.floor(this.#chunkBytes / rowBytes);
    // Reading does not wait until it is compiled.
    const dispatch = this.#dispatch(source.type, part, extent);
    dispatch.catch(() => undefined);
    for (let row = 0; row < rows; row += rowsPerChunk) {
      const count = Math.min(rowsPerChunk, rows - row);
      await this.#room();
      const uniforms = packUniforms([count, rowBytes, column + row, part.blocks, source.columns]);
      const workgroups = [Math.ceil(count / workgroupColumns), part.blocks] as const;
      this.#track(this.#send((target) => source.readRows(firstRow + row, target), count * rowBytes, dispatch, uniforms, workgroups));
    }
  }

  /** Whether a row of the matrix fits a buffer of the ring. */
  fits(source: StoredMatrix): boolean {
    return storedRowBytes(source) <= this.#chunkBytes;
  }

  /** Waits until everything was read and handed to the GPU, or has failed. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** `idle`, and throws what the first of all failed with. */
  async settle(): Promise<void> {
    await this.idle();
    if (this.#failure) throw this.#failure.error;
  }

  free(): void {
    for (const buffer of [this.#raw, this.#shape]) this.#device.memory.free(buffer);
  }

  async #room(): Promise<void> {
    if (this.#underWay.size >= this.#ring.count) await Promise.race(this.#underWay);
    if (this.#failure) await this.settle();
  }

  /** Reads into the next free buffer, and queues what becomes of it. */
  async #send(read: (target: Uint8Array) => Promise<void>, sizeBytes: number, dispatch: Promise<Dispatch>, uniforms: Uint8Array<ArrayBuffer>, [x, y]: readonly [number, number]): Promise<void> {
    const { gpu } = this.#device;
    const { buffer, release } = await this.#ring.fill(async (words) => {
      await read(new Uint8Array(words.buffer, 0, sizeBytes));
      await dispatch;
    });
    const encoder = gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, this.#raw, 0, Math.ceil(sizeBytes / 4) * 4);
    const pass = encoder.beginComputePass();
    encodeDispatch(pass, await dispatch, x, y);
    pass.end();
    gpu.queue.writeBuffer(this.#shape, 0, uniforms);
    gpu.queue.submit([encoder.finish()]);
    release();
  }

  #track(upload: Promise<void>): void {
    const outcome = async (): Promise<void> => {
      try {
        await upload;
      } catch (error) {
        this.#failure ??= { error };
      } finally {
        this.#underWay.delete(done);
      }
    };
    const done = outcome();
    this.#underWay.add(done);
  }

  async #dispatch(type: TensorTypeName, part: WeightPart, extent: GPUBuffer | null): Promise<Dispatch> {
    const { format, tileColumns, texture } = part;
    const unpacking = unpackings[type];
    if (!unpacking) throw new Error(`${type} is not repacked on the GPU`);
    const kernel = await this.#device.kernels.get({
      label: `repack ${type}`,
      texts: [repack, unpacking.text],
      constants: {
        ...formatConstants(format, tileColumns, texture),
        ...unpacking.constants,
        BLOCK_BYTES: tensorType(type).blockBytes,
        BFLOAT: type === 'BF16',
        COUNTS_LOSS: extent !== null,
      },
    });
    return { kernel, bindings: kernel.bind(this.#shape, this.#raw, ...bindingsOf(part), ...(extent ? [extent] : [])) };
  }
}
