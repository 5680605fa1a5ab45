/** Weight matrices on the GPU: packing, splitting and upload. */
import type { Device } from '../../device/device.ts';
import { constantUniform, type UniformValue } from '../../device/uniforms.ts';
import { EngineError } from '../../errors.ts';
import { blockWeights, formatOf, type Layout, sameFormat, type WeightFormat } from './format.ts';
import type { LinearShape, SourceMatrix } from './matrix.ts';
import { codeBytesPerTile, type ColumnRange, packCodes, packScales, type PackedShape, scaleBytesPerTile } from './packing.ts';
import { StagingRing } from './staging.ts';

/** Consecutive outputs of one format in one pair of buffers. */
export interface WeightPart {
  format: WeightFormat;
  /** First output of the whole matrix that this part computes, and how many. */
  firstOutput: number;
  outputs: number;
  /** Blocks of 32 inputs, padding included. */
  blocks: number;
  codes: GPUBuffer;
  /** Undefined for float weights. */
  scales: GPUBuffer | undefined;
}

export class LinearWeights {
  readonly name: string;
  readonly shape: LinearShape;
  readonly parts: readonly WeightPart[];
  readonly sizeBytes: number;
  readonly #device: Device;
  readonly #shapes: GPUBuffer[] = [];

  constructor(device: Device, name: string, shape: LinearShape, parts: readonly WeightPart[]) {
    this.#device = device;
    this.name = name;
    this.shape = shape;
    this.parts = parts;
    this.sizeBytes = parts.reduce((sum, part) => sum + part.codes.size + (part.scales?.size ?? 0), 0);
  }

  /** Makes the shape block of one use of the weights; it is freed with them. */
  shapeUniform(values: readonly UniformValue[]): GPUBuffer {
    const buffer = constantUniform(this.#device, `${this.name} shape`, values);
    this.#shapes.push(buffer);
    return buffer;
  }

  free(): void {
    for (const part of this.parts) {
      this.#device.memory.free(part.codes);
      if (part.scales) this.#device.memory.free(part.scales);
    }
    for (const buffer of this.#shapes.splice(0)) this.#device.memory.free(buffer);
  }
}

export function rowsOf(source: SourceMatrix): number {
  return source.kind === 'float' ? source.rows : source.rows.rows;
}

export function columnsOf(source: SourceMatrix): number {
  return source.kind === 'float' ? source.columns : source.rows.columns;
}

export class WeightUploader {
  readonly #device: Device;
  readonly #layout: Layout;
  readonly #bindingLimitBytes: number;
  readonly #ring: StagingRing;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(device: Device, layout: Layout, bindingLimitBytes: number) {
    this.#device = device;
    this.#layout = layout;
    this.#bindingLimitBytes = bindingLimitBytes;
    this.#ring = new StagingRing(device);
  }

  /** Stacks the sources along the outputs; they must have equal inputs. Uploads run one after another. */
  upload(name: string, sources: readonly SourceMatrix[]): Promise<LinearWeights> {
    this.#waiting++;
    const upload = this.#last.then(() => this.#upload(name, sources));
    this.#last = upload.then(
      () => this.#done(),
      () => this.#done(),
    );
    return upload;
  }

  /** A model is loaded in one go; when nothing waits, the ring would only hold memory. */
  #done(): void {
    this.#waiting--;
    if (this.#waiting === 0) this.#ring.free();
  }

  async #upload(name: string, sources: readonly SourceMatrix[]): Promise<LinearWeights> {
    const inputs = columnsOf(sources[0]);
    for (const source of sources) {
      if (columnsOf(source) === inputs) continue;
      throw new EngineError(
        'internal',
        `${name} stacks matrices of ${inputs} and ${columnsOf(source)} inputs.`,
        'Report this as a fault of Longleaf.',
      );
    }
    const parts: WeightPart[] = [];
    try {
      for (const run of runsOfEqualFormat(sources, this.#layout)) {
        for (const columns of this.#split(run, inputs)) parts.push(await this.#uploadPart(name, run, columns, inputs));
      }
    } catch (error) {
      new LinearWeights(this.#device, name, { outputs: 0, inputs }, parts).free();
      throw error;
    }
    const outputs = parts.reduce((sum, part) => sum + part.outputs, 0);
    return new LinearWeights(this.#device, name, { outputs, inputs }, parts);
  }

  /** Column ranges of a run, each small enough for one binding and of whole tiles (but the last). */
  #split(run: FormatRun, inputs: number): { first: number; count: number }[] {
    const shape = this.#packedShape(run.format, inputs);
    const tileBytes = Math.max(codeBytesPerTile(shape), scaleBytesPerTile(shape));
    const columnsPerPart = Math.max(1, Math.floor(this.#bindingLimitBytes / tileBytes)) * shape.tileColumns;
    const ranges = [];
    for (let first = 0; first < run.columns; first += columnsPerPart) {
      ranges.push({ first, count: Math.min(columnsPerPart, run.columns - first) });
    }
    return ranges;
  }

  async #uploadPart(name: string, run: FormatRun, columns: { first: number; count: number }, inputs: number): Promise<WeightPart> {
    const { memory } = this.#device;
    const shape = this.#packedShape(run.format, inputs);
    const tiles = Math.ceil(columns.count / shape.tileColumns);
    const scaleBytes = scaleBytesPerTile(shape);
    const buffers = await memory.checked(`The weights ${name}`, () => ({
      codes: memory.storage('weights', name, tiles * codeBytesPerTile(shape)),
      scales: scaleBytes > 0 ? memory.storage('weights', `${name} scales`, tiles * scaleBytes) : undefined,
    }));
    await this.#fill(buffers.codes, shape, run, columns, codeBytesPerTile(shape), packCodes);
    if (buffers.scales) await this.#fill(buffers.scales, shape, run, columns, scaleBytes, packScales);
    return {
      format: run.format,
      firstOutput: run.firstOutput + columns.first,
      outputs: columns.count,
      blocks: shape.blocks,
      ...buffers,
    };
  }

  async #fill(
    target: GPUBuffer,
    shape: PackedShape,
    run: FormatRun,
    columns: { first: number; count: number },
    tileBytes: number,
    pack: typeof packCodes,
  ): Promise<void> {
    const tiles = Math.ceil(columns.count / shape.tileColumns);
    const tilesPerWrite = Math.floor(this.#ring.capacityBytes / tileBytes);
    if (tilesPerWrite === 0) throw new EngineError('internal', `A tile of ${tileBytes} bytes does not fit the staging ring.`, 'Report this as a fault of Longleaf.');
    for (let tile = 0; tile < tiles; tile += tilesPerWrite) {
      const count = Math.min(tilesPerWrite, tiles - tile);
      const first = tile * shape.tileColumns;
      const width = Math.min(count * shape.tileColumns, columns.count - first);
      const ranges = rangesWithin(run.sources, columns.first + first, width);
      await this.#ring.write(target, tile * tileBytes, count * tileBytes, (words) => pack(words, shape, ranges));
    }
  }

  #packedShape(format: WeightFormat, inputs: number): PackedShape {
    return { format, blocks: Math.ceil(inputs / blockWeights), tileColumns: this.#layout.tileColumns };
  }
}

interface FormatRun {
  format: WeightFormat;
  sources: SourceMatrix[];
  firstOutput: number;
  columns: number;
}

function runsOfEqualFormat(sources: readonly SourceMatrix[], layout: Layout): FormatRun[] {
  const runs: FormatRun[] = [];
  let firstOutput = 0;
  for (const source of sources) {
    const format = formatOf(source, layout);
    const last = runs.at(-1);
    if (last && sameFormat(last.format, format)) {
      last.sources.push(source);
      last.columns += rowsOf(source);
    } else {
      runs.push({ format, sources: [source], firstOutput, columns: rowsOf(source) });
    }
    firstOutput += rowsOf(source);
  }
  return runs;
}

/** Which rows of which sources make up `count` columns from `first` of their concatenation. */
function rangesWithin(sources: readonly SourceMatrix[], first: number, count: number): ColumnRange[] {
  const ranges: ColumnRange[] = [];
  let start = 0;
  for (const source of sources) {
    const from = Math.max(first, start);
    const to = Math.min(first + count, start + rowsOf(source));
    if (from < to) ranges.push({ source, firstRow: from - start, rows: to - from, column: from - first });
    start += rowsOf(source);
  }
  return ranges;
}
