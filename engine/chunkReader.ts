/**
 * Reads a chunk layer by layer, in blocks of rows as large as the activations. What acts on the whole chunk at once
 * (attention to what is far, which is too much to fetch for every block) runs between the blocks; the rows wait beside.
 */
import type { Device } from './device/device.ts';
import { Submissions } from './device/submissions.ts';
import { cancelled } from './errors.ts';
import type { FarContext } from './kv/tiers/farContext.ts';
import type { ChunkPart, Part, RowBlock } from './layers/part.ts';
import type { RotaryAngles } from './layers/rotary.ts';
import type { Step, StepUniform } from './layers/step.ts';

export interface ChunkReaderParts {
  layers: readonly Part[];
  far: FarContext;
  maxRows: number;
  maxChunkRows: number;
  hiddenSize: number;
  /** Of a block: [maxRows] u32 and [maxRows][hiddenSize] f32. */
  tokens: GPUBuffer;
  hidden: GPUBuffer;
  step: StepUniform;
  angles: readonly RotaryAngles[];
}

/** What every block passes through before the whole chunk goes on. */
interface Phase {
  parts: Part[];
  chunk: ChunkPart | null;
}

export class ChunkReader {
  /** Of the whole chunk: [maxChunkRows] u32 and [maxChunkRows][hiddenSize] f32. */
  readonly tokens: GPUBuffer;
  readonly hidden: GPUBuffer;
  readonly #device: Device;
  readonly #parts: ChunkReaderParts;
  readonly #phases: readonly Phase[];

  constructor(device: Device, parts: ChunkReaderParts) {
    this.#device = device;
    this.#parts = parts;
    this.#phases = phasesOf(parts.layers);
    this.tokens = device.memory.storage('activations', 'chunk tokens', parts.maxChunkRows * 4);
    this.hidden = device.memory.storage('activations', 'chunk hidden', parts.maxChunkRows * parts.hiddenSize * 4);
  }

  /**
   * Computes all layers of a chunk whose tokens are in `tokens`, or in the block's when they fit there; returns the
   * buffer that holds its last hidden rows. Throws `cancelled` between two submissions; the caches then hold rows that
   * do not count.
   */
  async read(chunk: Step, signal?: AbortSignal): Promise<GPUBuffer> {
    const { far, maxRows, hidden, angles } = this.#parts;
    const blocks = blocksOf(chunk.rows, maxRows);
    const run = { submissions: new Submissions(this.#device), signal };
    far.beginReading(chunk);
    for (const table of angles) table.write(chunk);
    try {
      let before: ChunkPart | null = null;
      for (const phase of this.#phases) {
        for (const block of blocks) {
          if (signal?.aborted) throw cancelled();
          await run.submissions.submit(this.#encodeBlock(chunk, block, phase, before));
        }
        await phase.chunk?.attend(chunk, run);
        before = phase.chunk;
      }
    } catch (error) {
      await far.cancelReading();
      throw error;
    }
    return blocks.length > 1 ? this.hidden : hidden;
  }

  free(): void {
    for (const buffer of [this.tokens, this.hidden]) this.#device.memory.free(buffer);
  }

  #encodeBlock(chunk: Step, block: RowBlock, { parts, chunk: after }: Phase, before: ChunkPart | null): GPUCommandEncoder {
    const { step: uniform, angles, tokens, hidden, hiddenSize } = this.#parts;
    const { first, rows } = block;
    const alone = rows === chunk.rows;
    const rowBytes = 4 * hiddenSize;
    const step = { ...chunk, rows, position: chunk.position + first };
    uniform.write(step);
    const encoder = this.#device.gpu.createCommandEncoder();
    if (!alone) {
      for (const table of angles) table.encodeBlock(encoder, block);
      if (before) encoder.copyBufferToBuffer(this.hidden, first * rowBytes, hidden, 0, rows * rowBytes);
      else encoder.copyBufferToBuffer(this.tokens, 4 * first, tokens, 0, 4 * rows);
    }
    before?.distribute(encoder, block, chunk);
    const pass = encoder.beginComputePass({ label: 'block of rows' });
    for (const part of parts) part.encode(pass, step);
    pass.end();
    if (!alone) encoder.copyBufferToBuffer(hidden, 0, this.hidden, first * rowBytes, rows * rowBytes);
    after?.collect(encoder, block);
    return encoder;
  }
}

function blocksOf(rows: number, maxRows: number): RowBlock[] {
  const blocks: RowBlock[] = [];
  for (let first = 0; first < rows; first += maxRows) blocks.push({ first, rows: Math.min(maxRows, rows - first) });
  return blocks;
}

function phasesOf(layers: readonly Part[]): Phase[] {
  const phases: Phase[] = [{ parts: [], chunk: null }];
  for (const part of layers) {
    const phase = phases[phases.length - 1];
    if (part.decodingOnly) continue;
    if (!part.chunk) {
      phase.parts.push(part);
      continue;
    }
    phase.chunk = part.chunk;
    phases.push({ parts: [], chunk: null });
  }
  return phases;
}
