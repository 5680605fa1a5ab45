/**
 * Brings weight matrices to the GPU: what is stored in a file streams there as it is and is repacked by kernels; what is
 * in memory is packed here, a few tiles at a time.
 */
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { UploadRing } from '../../device/uploadRing.ts';
import { EngineError } from '../../errors.ts';
import { blockWeights, formatOf, floatFormat, halvesSuffice, type Layout, scaleWordsPerBlock, type TextureKind, type WeightFormat } from './format.ts';
import { columnsOf, type SourceMatrix, type StoredMatrix } from './matrix.ts';
import { paddedColumns } from './packedSize.ts';
import { codeBytesPerTile, type ColumnRange, packCodes, packScales, type PackedShape, scaleBytesPerTile } from './packing.ts';
import { canRepack, Repacker } from './repack.ts';
import { type FormatRun, rangesWithin, runsOfEqualFormat, type SourceRange } from './sourceRuns.ts';
import { unpackRows } from './storedRows.ts';
import { LinearWeights, type UploadLimits, type WeightPart } from './weights.ts';

export interface Chunks {
  /** What is read, packed or copied at once. */
  sizeBytes: number;
  /** How many are under way. */
  count: number;
}

export const usualChunks: Chunks = { sizeBytes: 8 * 1024 * 1024, count: 4 };

export class WeightUploader {
  readonly #device: Device;
  readonly #layout: Layout;
  readonly #limits: UploadLimits;
  readonly #chunks: Chunks;
  #ring: UploadRing | null = null;
  #repacker: Repacker | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(device: Device, layout: Layout, limits: UploadLimits, chunks = usualChunks) {
    this.#device = device;
    this.#chunks = chunks;
    this.#layout = layout;
    this.#limits = limits;
  }

  /**
   * Stacks the sources along the outputs; they must have equal inputs. Uploads run one after another. Stored sources may
   * still be on their way when it resolves: `finish` waits for them, and throws what reading them failed with.
   */
  upload(name: string, sources: readonly SourceMatrix[]): Promise<LinearWeights> {
    const upload = this.#last.then(() => this.#upload(name, sources));
    this.#last = upload.then(
      () => undefined,
      () => undefined,
    );
    return upload;
  }

  /** Waits for all uploads and gives the staging memory back; the next upload takes it again. */
  async finish(): Promise<void> {
    await this.#last;
    try {
      await this.#repacker?.settle();
    } finally {
      this.#repacker?.free();
      this.#ring?.free();
      this.#repacker = null;
      this.#ring = null;
    }
  }

  async #upload(name: string, sources: readonly SourceMatrix[]): Promise<LinearWeights> {
    const inputs = columnsOf(sources[0]);
    for (const source of sources) {
      if (columnsOf(source) === inputs) continue;
      throw internal(`${name} stacks matrices of ${inputs} and ${columnsOf(source)} inputs.`);
    }
    const repacks = sources.every((source) => this.#repacks(source));
    const readable = repacks ? sources : await Promise.all(sources.map(withKnownFormat));
    const first = await this.#uploadAs(name, readable, inputs, formatOf);
    if (first.wide.size === 0) return first.weights;
    first.weights.free();
    const { weights } = await this.#uploadAs(name, readable, inputs, (source) => (first.wide.has(source) ? floatFormat('f32') : formatOf(source)));
    return weights;
  }

  /** `wide`: sources whose numbers turned out not to fit the format. */
  async #uploadAs(name: string, sources: readonly SourceMatrix[], inputs: number, format: (source: SourceMatrix) => WeightFormat) {
    const parts: WeightPart[] = [];
    const extents = new Map<SourceMatrix, GPUBuffer>();
    try {
      for (const source of sources) {
        if (source.kind !== 'stored' || source.type !== 'BF16' || format(source).codes !== 'f16') continue;
        extents.set(source, this.#device.memory.storage('staging', `extent of ${name}`, 8));
      }
      for (const run of runsOfEqualFormat(sources, format)) {
        for (const columns of this.#split(run, inputs)) parts.push(await this.#uploadPart(name, run, columns, inputs, extents));
      }
      const wide = await this.#tooWide(extents);
      const outputs = parts.reduce((sum, part) => sum + part.outputs, 0);
      return { weights: new LinearWeights(this.#device, name, { outputs, inputs }, parts), wide };
    } catch (error) {
      // Nothing may still be on its way into what is freed.
      await this.#repacker?.idle();
      new LinearWeights(this.#device, name, { outputs: 0, inputs }, parts).free();
      throw error;
    } finally {
      for (const buffer of extents.values()) this.#device.memory.free(buffer);
    }
  }

  #repacks(source: SourceMatrix): source is StoredMatrix {
    return source.kind === 'stored' && canRepack(source.type);
  }

  /** Which sources lose too much as halves. */
  async #tooWide(extents: ReadonlyMap<SourceMatrix, GPUBuffer>): Promise<Set<SourceMatrix>> {
    const wide = new Set<SourceMatrix>();
    if (extents.size === 0) return wide;
    await this.#repacker?.settle();
    const readback = new Readback(this.#device);
    for (const [source, buffer] of extents) {
      const [largest, largestLoss] = await readback.floats(buffer, 0, 2);
      if (!halvesSuffice(largest, largestLoss)) wide.add(source);
    }
    readback.free();
    return wide;
  }

  /** Column ranges of a run, each small enough for one binding and of whole tiles (but the last). */
  #split(run: FormatRun, inputs: number): Columns[] {
    const shape = this.#packedShape(run.format, inputs);
    const columnsPerPart = this.#mostTiles(shape) * shape.tileColumns;
    const ranges = [];
    for (let first = 0; first < run.columns; first += columnsPerPart) {
      ranges.push({ first, count: Math.min(columnsPerPart, run.columns - first) });
    }
    return ranges;
  }

  /** Of one part. */
  #mostTiles(shape: PackedShape): number {
    const { bufferBytes, textureBytes, textureSide } = this.#limits;
    const texture = this.#textureFor(shape);
    const tiles = Math.min(...storesOf(shape).map((store) => (inTexture(store, texture) ? Math.min(textureSide, textureBytes / store.tileBytes) : bufferBytes / store.tileBytes)));
    return Math.max(1, Math.floor(tiles));
  }

  async #uploadPart(name: string, run: FormatRun, columns: Columns, inputs: number, extents: ReadonlyMap<SourceMatrix, GPUBuffer>): Promise<WeightPart> {
    const { memory } = this.#device;
    const shape = this.#packedShape(run.format, inputs);
    const padded = Math.ceil(columns.count / paddedColumns) * paddedColumns;
    const tiles = Math.min(Math.ceil(padded / shape.tileColumns), this.#mostTiles(shape));
    const texture = this.#textureFor(shape);
    const plans = storesOf(shape);
    const stores = await memory.checked(`The weights ${name}`, () =>
      plans.map(({ tileBytes, texel, isScales }) =>
        inTexture({ isScales }, texture)
          ? memory.table('weights', name, texelFormats[texel], tileBytes / texel, tiles)
          : memory.storage('weights', name, tiles * tileBytes),
      ),
    );
    const part: WeightPart = {
      format: run.format,
      firstOutput: run.firstOutput + columns.first,
      outputs: columns.count,
      blocks: shape.blocks,
      tileColumns: shape.tileColumns,
      texture,
      stores,
      sizeBytes: plans.reduce((sum, plan) => sum + tiles * plan.tileBytes, 0),
    };
    try {
      if (run.sources.every((source) => this.#repacks(source))) await this.#repack(part, run.sources as StoredMatrix[], columns, extents);
      else await this.#pack(part, plans, shape, run.sources, columns);
    } catch (error) {
      for (const store of stores) memory.free(store);
      throw error;
    }
    return part;
  }

  async #repack(part: WeightPart, sources: readonly StoredMatrix[], columns: Columns, extents: ReadonlyMap<SourceMatrix, GPUBuffer>): Promise<void> {
    this.#repacker ??= new Repacker(this.#device, this.#staging(), this.#chunks.sizeBytes);
    for (const range of rangesWithin(sources, columns.first, columns.count)) {
      if (!this.#repacker.fits(range.source)) throw internal(`A row of ${range.source.columns} weights does not fit the staging ring.`);
      await this.#repacker.fill(part, range, extents.get(range.source) ?? null);
    }
  }

  /** Packs on the CPU, while what comes next is being read. */
  async #pack({ stores }: WeightPart, plans: readonly StorePlan[], shape: PackedShape, sources: readonly SourceMatrix[], columns: Columns): Promise<void> {
    const tiles = Math.ceil(columns.count / shape.tileColumns);
    const tileBytes = Math.max(...plans.map((plan) => plan.tileBytes));
    const tilesPerWrite = Math.floor(this.#chunks.sizeBytes / tileBytes);
    if (tilesPerWrite === 0) throw internal(`A tile of ${tileBytes} bytes does not fit the staging ring.`);
    const read = (tile: number): Promise<ColumnRange[]> | null => {
      if (tile >= tiles) return null;
      const first = tile * shape.tileColumns;
      const width = Math.min(tilesPerWrite * shape.tileColumns, columns.count - first);
      const ranges = Promise.all(rangesWithin(sources, columns.first + first, width).map(unpackedRange));
      // Whoever takes them hears of a failure.
      ranges.catch(() => undefined);
      return ranges;
    };
    let next = read(0);
    for (let tile = 0; tile < tiles; tile += tilesPerWrite) {
      const count = Math.min(tilesPerWrite, tiles - tile);
      const ranges = (await next) ?? [];
      next = read(tile + tilesPerWrite);
      for (const [index, { tileBytes: bytes, pack }] of plans.entries()) {
        const { buffer, release } = await this.#staging().fill(async (words) => {
          const room = words.subarray(0, (count * bytes) / 4);
          room.fill(0);
          pack(room, shape, ranges);
        });
        const encoder = this.#device.gpu.createCommandEncoder();
        copyTiles(encoder, buffer, stores[index], tile, count, bytes);
        this.#device.gpu.queue.submit([encoder.finish()]);
        release();
      }
    }
  }

  #staging(): UploadRing {
    return (this.#ring ??= new UploadRing(this.#device, { label: 'upload', ...this.#chunks }));
  }

  /** How the shape's codes are read: by the layout's texture, where a tile fits a row of it. */
  #textureFor(shape: PackedShape): TextureKind | null {
    return storesOf(shape).every(({ tileBytes, texel }) => tileBytes / texel <= this.#limits.textureSide) ? this.#layout.texture : null;
  }

  #packedShape(format: WeightFormat, inputs: number): PackedShape {
    return { format, blocks: Math.ceil(inputs / blockWeights), tileColumns: this.#layout.tileColumns };
  }
}

/** Of a run. */
interface Columns {
  first: number;
  count: number;
}

interface StorePlan {
  isScales: boolean;
  tileBytes: number;
  /** Bytes of a texel, where the store is a texture. */
  texel: keyof typeof texelFormats;
  pack: typeof packCodes;
}

const texelFormats = { 4: 'r32uint', 8: 'rg32uint', 16: 'rgba32uint' } as const;

function storesOf(shape: PackedShape): StorePlan[] {
  const codes: StorePlan = { isScales: false, tileBytes: codeBytesPerTile(shape), texel: 16, pack: packCodes };
  if (shape.format.scales === 'none') return [codes];
  const texel = (scaleWordsPerBlock(shape.format) * 4) as StorePlan['texel'];
  return [codes, { isScales: true, tileBytes: scaleBytesPerTile(shape), texel, pack: packScales }];
}

/** Scales lie beside the codes of a sampled texture in a buffer, see matmul_weights.wgsl. */
function inTexture({ isScales }: Pick<StorePlan, 'isScales'>, texture: TextureKind | null): boolean {
  return texture === 'storage' || (texture === 'sampled' && !isScales);
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

async function unpackedRange({ source, ...range }: SourceRange<SourceMatrix>): Promise<ColumnRange> {
  if (source.kind !== 'stored') return { source, ...range };
  return { ...range, source: await unpackRows(source, range.firstRow, range.rows), firstRow: 0 };
}

/** What bfloat16 is stored as depends on all of its numbers. */
async function withKnownFormat(source: SourceMatrix): Promise<SourceMatrix> {
  return source.kind === 'stored' && source.type === 'BF16' ? unpackRows(source) : source;
}
