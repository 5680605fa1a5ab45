/** Scores of far tokens, estimated from a layer's sketch. */
import queryText from '../../shaders/sketch_query.wgsl';
import rotateText from '../../shaders/sketch_rotate.wgsl';
import scanText from '../../shaders/sketch_scan.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch } from '../device/kernel.ts';
import { packUniforms } from '../device/uniforms.ts';
import { sharedUniform } from '../layers/pointwise/bound.ts';
import { type FarLayout, segmentsOf, sinkTokens } from './layout.ts';
import type { Selection } from './select.ts';
import { checkSketchLayout, planeWords, rotationBlock, type Sketch } from './sketch.ts';

/**
 * What a scan reads, the same for all layers of a step:
 *
 *     struct Numbers { sealedTokens: u32, planesRead: u32 }
 */
export class ScanUniform {
  readonly buffer: GPUBuffer;
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
    this.buffer = device.memory.allocate('activations', 'sketch scan', 16, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  }

  /** Queued in order with the submissions around it. `planesRead` may be any number up to the sketch's planes. */
  write({ sealedTokens, planesRead }: { sealedTokens: number; planesRead: number }): void {
    this.#device.gpu.queue.writeBuffer(this.buffer, 0, packUniforms([sealedTokens, planesRead]));
  }

  free(): void {
    this.#device.memory.free(this.buffer);
  }
}

/** The queries of the layer at work, as the scan wants them; shared by all layers of a shape. */
export class ScanScratch {
  /** [head][8·planeWords + 4] u32, see sketch_query.wgsl. */
  readonly rotatedQueries: GPUBuffer;
  /** [head][segment] f32. */
  readonly meanScores: GPUBuffer;
  readonly #device: Device;

  constructor(device: Device, layout: FarLayout) {
    checkSketchLayout(layout);
    const bytes = scanScratchParts(layout);
    if (bytes.rotatedQueries > 65536) throw new RangeError(`${layout.heads} heads of ${layout.headDim} dimensions are more than a scan can take`);
    this.#device = device;
    const usage = 0x80 /* STORAGE */ | 0x40 /* UNIFORM */ | 0x04; /* COPY_SRC */
    this.rotatedQueries = device.memory.allocate('activations', 'rotated queries', bytes.rotatedQueries, usage);
    this.meanScores = device.memory.storage('activations', 'scores of segment means', bytes.meanScores);
  }

  free(): void {
    for (const buffer of [this.rotatedQueries, this.meanScores]) this.#device.memory.free(buffer);
  }
}

export function scanScratchBytes(layout: FarLayout): number {
  const { rotatedQueries, meanScores } = scanScratchParts(layout);
  return rotatedQueries + meanScores;
}

export interface ScanBuffers {
  layout: FarLayout;
  sketch: Sketch;
  /** [head][headDim] f32, already scaled: the step's first row. */
  queries: GPUBuffer;
  scratch: ScanScratch;
  numbers: ScanUniform;
  /** [head][capacityTokens] f32; with a list [head][list.maxSelected]. */
  scores: GPUBuffer;
  /** Score these tokens only: score i belongs to the list's entry i. */
  list?: Selection;
}

export interface BoundScan {
  /** Rotates the queries and scores their segments' means: once, before the scans of a layer. */
  encodeQueries(pass: GPUComputePassEncoder, sealedTokens: number): void;
  /** Scores tokens [0, sealedTokens), sinks with -1e30; or the list, which has `sealedTokens` entries at most. */
  encodeScores(pass: GPUComputePassEncoder, sealedTokens: number): void;
}

const invocations = 64;

export async function bindSketchScan(device: Device, io: ScanBuffers): Promise<BoundScan> {
  const { layout, sketch, scratch, numbers, list } = io;
  const { heads, kvHeads, headDim, capacityTokens, segmentTokens, planes } = layout;
  const group = heads / kvHeads;
  const headsAtOnce = Math.ceil(group / Math.ceil(group / 8));
  const words = planeWords(headDim);
  const shared = { INVOCATIONS: invocations, WORDS: words, GROUP: group, SEGMENT_TOKENS: segmentTokens };
  const [query, scan] = await Promise.all([
    device.kernels.get({
      label: 'sketch_query',
      texts: [rotateText, queryText],
      constants: { ...shared, VECTORS: 1, HEAD_DIM: headDim, BLOCK: rotationBlock(headDim) },
    }),
    device.kernels.get({
      label: 'sketch_scan',
      texts: [scanText],
      constants: {
        ...shared,
        LIST: list !== undefined,
        PLANES: planes,
        HEADS: headsAtOnce,
        QUERY_VEC4S: heads * (2 * words + 1),
        SINK_TOKENS: sinkTokens,
      },
    }),
  ]);
  const stride = list?.maxSelected ?? capacityTokens;
  const shape = sharedUniform(device, 'sketch scan shape', [capacityTokens, stride, list?.maxSelected ?? 0, rotationBlock(headDim)]);
  const queryDispatch = {
    kernel: query,
    bindings: query.bind(numbers.buffer, shape, io.queries, sketch.means, scratch.rotatedQueries, scratch.meanScores),
  };
  const common = [numbers.buffer, shape, scratch.rotatedQueries, sketch.planes, sketch.tokenWords, scratch.meanScores, io.scores] as const;
  const scanDispatch = { kernel: scan, bindings: list ? scan.bind(...common, list.tokens, list.counts) : scan.bind(...common) };
  return {
    encodeQueries(pass, sealedTokens) {
      const segments = Math.ceil(sealedTokens / segmentTokens);
      encodeDispatch(pass, queryDispatch, 1 + Math.ceil(segments / invocations), heads);
    },
    encodeScores(pass, sealedTokens) {
      if (sealedTokens === 0) return;
      encodeDispatch(pass, scanDispatch, Math.ceil(sealedTokens / invocations), kvHeads, Math.ceil(group / headsAtOnce));
    },
  };
}

function scanScratchParts(layout: FarLayout): { rotatedQueries: number; meanScores: number } {
  return {
    rotatedQueries: layout.heads * (8 * planeWords(layout.headDim) + 4) * 4,
    meanScores: layout.heads * segmentsOf(layout) * 4,
  };
}
