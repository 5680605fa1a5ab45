/** Weight matrices on the GPU: packing, splitting and upload. */
import type { Device } from '../../device/device.ts';
import { constantUniform, type UniformValue } from '../../device/uniforms.ts';
import { EngineError } from '../../errors.ts';
import { blockWeights, formatOf, type Layout, sameFormat, scaleWordsPerBlock, type WeightFormat } from './format.ts';
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
  tileColumns: number;
  /** Whether codes and scales lie in textures, a row a tile, or in buffers. */
  inTexture: boolean;
  /** Codes and, but for float weights, scales. */
  stores: readonly (GPUBuffer | GPUTexture)[];
  sizeBytes: number;
}

/** What a kernel binds to read a part: bindings 4 and 5 of matmul_weights.wgsl. */
export function bindingsOf(part: WeightPart): (GPUBuffer | GPUTextureView)[] {
  return part.stores.map((store) => ('createView' in store ? store.createView() : store));
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
    this.sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  }

  /** Makes the shape block of one use of the weights; it is freed with them. */
  shapeUniform(values: readonly UniformValue[]): GPUBuffer {
    const buffer = constantUniform(this.#device, `${this.name} shape`, values);
    this.#shapes.push(buffer);
    return buffer;
  }

  free(): void {
    for (const store of this.parts.flatMap((part) => part.stores)) this.#device.memory.free(store);
    for (const buffer of this.#shapes.splice(0)) this.#device.memory.free(buffer);
  }
}

export function rowsOf(source: SourceMatrix): number {
  return source.kind === 'float' ? source.rows : source.rows.rows;
}

export function columnsOf(source: SourceMatrix): number {
  return source.kind === 'float' ? source.columns : source.rows.columns;
}

/** What one binding may hold. */
export interface UploadLimits {
  bufferBytes: number;
  textureBytes: number;
  /** Texels along a side of a texture. */
  textureSide: number;
}

export function limitsOf(device: Device, bindingLimitBytes = Infinity): UploadLimits {
  const { maxStorageBufferBindingSize, maxBufferSize, maxTextureDimension2D } = device.facts.limits;
  return {
    bufferBytes: Math.min(bindingLimitBytes, maxStorageBufferBindingSize, maxBufferSize),
    textureBytes: Math.min(bindingLimitBytes, maxBufferSize),
    textureSide: maxTextureDimension2D,
  };
}

export class WeightUploader {
  readonly #device: Device;
  readonly #layout: Layout;
  readonly #limits: UploadLimits;
  readonly #ring: StagingRing;
  #last: Promise<void> = Promise.resolve();

  constructor(device: Device, layout: Layout, limits: UploadLimits) {
    this.#device = device;
    this.#layout = layout;
    this.#limits = limits;
    this.#ring = new StagingRing(device);
  }

  /** Stacks the sources along the outputs; they must have equal inputs. Uploads run one after another. */
  upload(name: string, sources: readonly SourceMatrix[]): Promise<LinearWeights> {
    const upload = this.#last.then(() => this.#upload(name, sources));
    this.#last = upload.then(
      () => undefined,
      () => undefined,
    );
    return upload;
  }

  /** Gives the staging memory back; the next upload takes it again. */
  async finish(): Promise<void> {
    await this.#last;
    this.#ring.free();
  }

  async #upload(name: string, sources: readonly SourceMatrix[]): Promise<LinearWeights> {
    const inputs = columnsOf(sources[0]);
    for (const source of sources) {
      if (columnsOf(source) === inputs) continue;
      throw internal(`${name} stacks matrices of ${inputs} and ${columnsOf(source)} inputs.`);
    }
    const parts: WeightPart[] = [];
    try {
      for (const run of runsOfEqualFormat(sources)) {
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
    const tileBytes = Math.max(...storesOf(shape).map((store) => store.tileBytes));
    const { bufferBytes, textureBytes, textureSide } = this.#limits;
    const tiles = this.#fitsTexture(shape) ? Math.min(textureSide, textureBytes / tileBytes) : bufferBytes / tileBytes;
    const columnsPerPart = Math.max(1, Math.floor(tiles)) * shape.tileColumns;
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
    const inTexture = this.#fitsTexture(shape);
    const plans = storesOf(shape);
    const stores = await memory.checked(`The weights ${name}`, () =>
      plans.map(({ tileBytes, texel }) =>
        inTexture
          ? memory.table('weights', name, texelFormats[texel], tileBytes / texel, tiles)
          : memory.storage('weights', name, tiles * tileBytes),
      ),
    );
    for (const [index, plan] of plans.entries()) await this.#fill(stores[index], plan, shape, run, columns);
    return {
      format: run.format,
      firstOutput: run.firstOutput + columns.first,
      outputs: columns.count,
      blocks: shape.blocks,
      tileColumns: shape.tileColumns,
      inTexture,
      stores,
      sizeBytes: plans.reduce((sum, plan) => sum + tiles * plan.tileBytes, 0),
    };
  }

  async #fill(
    target: GPUBuffer | GPUTexture,
    { tileBytes, pack }: StorePlan,
    shape: PackedShape,
    run: FormatRun,
    columns: { first: number; count: number },
  ): Promise<void> {
    const tiles = Math.ceil(columns.count / shape.tileColumns);
    const tilesPerWrite = Math.floor(this.#ring.capacityBytes / tileBytes);
    if (tilesPerWrite === 0) throw internal(`A tile of ${tileBytes} bytes does not fit the staging ring.`);
    for (let tile = 0; tile < tiles; tile += tilesPerWrite) {
      const count = Math.min(tilesPerWrite, tiles - tile);
      const first = tile * shape.tileColumns;
      const width = Math.min(count * shape.tileColumns, columns.count - first);
      const ranges = rangesWithin(run.sources, columns.first + first, width);
      await this.#ring.write(
        count * tileBytes,
        (words) => pack(words, shape, ranges),
        (encoder, staging) => copyTiles(encoder, staging, target, tile, count, tileBytes),
      );
    }
  }

  #fitsTexture(shape: PackedShape): boolean {
    return this.#layout.textures && storesOf(shape).every(({ tileBytes, texel }) => tileBytes / texel <= this.#limits.textureSide);
  }

  #packedShape(format: WeightFormat, inputs: number): PackedShape {
    return { format, blocks: Math.ceil(inputs / blockWeights), tileColumns: this.#layout.tileColumns };
  }
}

interface StorePlan {
  tileBytes: number;
  /** Bytes of a texel, where the store is a texture. */
  texel: keyof typeof texelFormats;
  pack: typeof packCodes;
}

const texelFormats = { 4: 'r32uint', 8: 'rg32uint', 16: 'rgba32uint' } as const;

function storesOf(shape: PackedShape): StorePlan[] {
  const codes: StorePlan = { tileBytes: codeBytesPerTile(shape), texel: 16, pack: packCodes };
  if (shape.format.scales === 'none') return [codes];
  const texel = (scaleWordsPerBlock(shape.format) * 4) as StorePlan['texel'];
  return [codes, { tileBytes: scaleBytesPerTile(shape), texel, pack: packScales }];
}

function copyTiles(
  encoder: GPUCommandEncoder,
  staging: GPUBuffer,
  target: GPUBuffer | GPUTexture,
  tile: number,
  count: number,
  tileBytes: number,
): void {
  if (!('createView' in target)) {
    encoder.copyBufferToBuffer(staging, 0, target, tile * tileBytes, count * tileBytes);
    return;
  }
  // Rows of a copy must lie a multiple of 256 bytes apart; single rows may lie anywhere.
  const rowsPerCopy = tileBytes % 256 === 0 ? count : 1;
  for (let row = 0; row < count; row += rowsPerCopy) {
    encoder.copyBufferToTexture(
      { buffer: staging, offset: row * tileBytes, bytesPerRow: rowsPerCopy > 1 ? tileBytes : undefined },
      { texture: target, origin: [0, tile + row] },
      [target.width, rowsPerCopy],
    );
  }
}

function internal(message: string): EngineError {
  return new EngineError('internal', message, 'Report this as a fault of Longleaf.');
}

interface FormatRun {
  format: WeightFormat;
  sources: SourceMatrix[];
  firstOutput: number;
  columns: number;
}

function runsOfEqualFormat(sources: readonly SourceMatrix[]): FormatRun[] {
  const runs: FormatRun[] = [];
  let firstOutput = 0;
  for (const source of sources) {
    const format = formatOf(source);
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
