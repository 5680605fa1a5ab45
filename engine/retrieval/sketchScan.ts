/** Scores of far tokens, estimated from a layer's sketch. */
import massText from '../../shaders/select_mass.wgsl';
import eightBitText from '../../shaders/kv_load_eight_bit.wgsl';
import queryText from '../../shaders/sketch_query.wgsl';
import rotateText from '../../shaders/sketch_rotate.wgsl';
import scanText from '../../shaders/sketch_scan.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch } from '../device/kernel.ts';
import { packUniforms } from '../device/uniforms.ts';
import { sharedUniform } from '../layers/pointwise/bound.ts';
import type { Clusters } from './clusters.ts';
import { clusterCapacity, clustersPerSegment, clusterTokensOf, type FarLayout, sinkTokens } from './layout.ts';
import { maxMasses, type Selection } from './select.ts';
import { checkSketchLayout, planeWords, rotationBlock, type Sketch } from './sketch.ts';
import { subgroupSource } from './subgroupSource.ts';

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
  /** [head][cluster] f32. */
  readonly centroidScores: GPUBuffer;
  readonly #device: Device;

  constructor(device: Device, layout: FarLayout) {
    checkSketchLayout(layout);
    const bytes = scanScratchParts(layout);
    if (bytes.rotatedQueries > 65536) throw new RangeError(`${layout.heads} heads of ${layout.headDim} dimensions are more than a scan can take`);
    this.#device = device;
    const usage = 0x80 /* STORAGE */ | 0x40 /* UNIFORM */ | 0x04; /* COPY_SRC */
    this.rotatedQueries = device.memory.allocate('activations', 'rotated queries', bytes.rotatedQueries, usage);
    this.centroidScores = device.memory.storage('activations', 'scores of centroids', bytes.centroidScores);
  }

  free(): void {
    for (const buffer of [this.rotatedQueries, this.centroidScores]) this.#device.memory.free(buffer);
  }
}

export function scanScratchBytes(layout: FarLayout): number {
  const { rotatedQueries, centroidScores } = scanScratchParts(layout);
  return rotatedQueries + centroidScores;
}

export interface ScanBuffers {
  layout: FarLayout;
  sketch: Sketch;
  clusters: Pick<Clusters, 'centroids'>;
  /** [head][headDim] f32, already scaled: the step's first row. */
  queries: GPUBuffer;
  scratch: ScanScratch;
  numbers: ScanUniform;
  /** [head][capacityTokens] f32; with a list [head][list.maxSelected]. */
  scores: GPUBuffer;
  /** [head][1 + maxMasses] of two f32: takes the masses of each head's scores, for a selection; see select_mass.wgsl. */
  masses?: GPUBuffer;
  /** Score these tokens only: score i belongs to the list's entry i. */
  list?: Selection;
  /** Other than what suits the adapter. */
  variant?: Partial<ScanVariant>;
}

/** How a scan is spread over the adapter. */
export interface ScanVariant {
  /** Of a workgroup: a power of two. */
  invocations: number;
  /** Tokens that an invocation scores at once. */
  tokensAtOnce: number;
  /** Words of a plane in one load at most: 1, 2 or 4. */
  mostWords: number;
  /** Workgroups of a key-value head at most, each of which leaves a mass; not more than `maxMasses`. */
  mostSplits: number;
  /** Query heads at once at most, of those that share a key-value head. */
  mostHeads: number;
  /** Sum by subgroups, where their size is known. */
  subgroups: boolean;
}

/**
 * Every split sums its invocations' masses anew, which only pays where splits run side by side. Several tokens at once
 * share the reading of the queries, which is what a processor does most of; several words of a plane in one load gain it
 * nothing and take its compiler long.
 */
const usualVariants: Record<Device['facts']['kind'], ScanVariant> = {
  gpu: { invocations: 128, tokensAtOnce: 2, mostWords: 4, mostSplits: 256, mostHeads: 8, subgroups: true },
  software: { invocations: 64, tokensAtOnce: 4, mostWords: 1, mostSplits: 16, mostHeads: 8, subgroups: true },
};

export interface BoundScan {
  /** Rotates the queries and scores the centroids: once, before the scans of a layer. */
  encodeQueries(pass: GPUComputePassEncoder, sealedTokens: number): void;
  /** Scores tokens [0, sealedTokens), sinks with -1e30, and sums the masses; or the list, which has `sealedTokens` entries at most. */
  encodeScores(pass: GPUComputePassEncoder, sealedTokens: number): void;
}

/** Of the workgroups that rotate queries. */
const queryInvocations = 64;

export async function bindSketchScan(device: Device, io: ScanBuffers): Promise<BoundScan> {
  const { layout, sketch, clusters, scratch, numbers, list } = io;
  const { heads, kvHeads, headDim, capacityTokens, segmentTokens, planes } = layout;
  const { invocations, tokensAtOnce, mostWords, mostSplits, mostHeads, subgroups } = { ...usualVariants[device.facts.kind], ...io.variant };
  if (mostSplits > maxMasses) throw new RangeError(`${mostSplits} splits are more than the ${maxMasses} that a selection takes`);
  const group = heads / kvHeads;
  const headsAtOnce = Math.ceil(group / Math.ceil(group / mostHeads));
  const words = planeWords(headDim);
  const unitWords = [4, 2, 1].find((some) => some <= mostWords && words % some === 0) ?? 1;
  const shared = { WORDS: words, GROUP: group };
  const [query, scan] = await Promise.all([
    device.kernels.get({
      label: 'sketch_query',
      texts: [eightBitText, rotateText, queryText],
      constants: { ...shared, BY_BITS: device.facts.kind === 'gpu', INVOCATIONS: queryInvocations, VECTORS: 1, UNITS: headDim / 4, HEAD_DIM: headDim, BLOCK: rotationBlock(headDim) },
    }),
    device.kernels.get(
      subgroupSource(device, subgroups, {
        label: 'sketch_scan',
        texts: [massText, scanText],
        aliases: { PlaneUnit: unitWords === 1 ? 'u32' : `vec${unitWords}<u32>` },
        constants: {
          ...shared,
          SEGMENT_TOKENS: segmentTokens,
          CLUSTERS: clustersPerSegment(layout),
          INVOCATIONS: invocations,
          TOKENS: tokensAtOnce,
          LIST: list !== undefined,
          MASSES: io.masses !== undefined,
          PLANES: planes,
          PAIRED: planes > 1,
          FOURFOLD: planes === 4,
          UNIT_WORDS: unitWords,
          LONE_WORD: unitWords === 1,
          HEADS: headsAtOnce,
          QUERY_VEC4S: heads * (2 * words + 1),
          SINK_TOKENS: sinkTokens,
        },
      }),
    ),
  ]);
  const stride = list?.maxSelected ?? capacityTokens;
  const shape = sharedUniform(device, 'sketch scan shape', [capacityTokens, stride, list?.maxSelected ?? 0, rotationBlock(headDim), invocations]);
  const queryDispatch = {
    kernel: query,
    bindings: query.bind(numbers.buffer, shape, io.queries, clusters.centroids, scratch.rotatedQueries, scratch.centroidScores, sketch.dimensions),
  };
  const common = [numbers.buffer, shape, scratch.rotatedQueries, sketch.planes, sketch.tokenWords, scratch.centroidScores, io.scores, io.masses ?? null] as const;
  const scanDispatch = { kernel: scan, bindings: list ? scan.bind(...common, list.tokens, list.counts) : scan.bind(...common) };
  return {
    encodeQueries(pass, sealedTokens) {
      encodeDispatch(pass, queryDispatch, 1 + Math.ceil(sealedTokens / clusterTokensOf(layout) / queryInvocations / group), heads);
    },
    encodeScores(pass, sealedTokens) {
      const splits = Math.min(mostSplits, Math.max(1, Math.ceil(sealedTokens / (invocations * tokensAtOnce))));
      encodeDispatch(pass, scanDispatch, splits, kvHeads, Math.ceil(group / headsAtOnce));
    },
  };
}

function scanScratchParts(layout: FarLayout): { rotatedQueries: number; centroidScores: number } {
  return {
    rotatedQueries: layout.heads * (8 * planeWords(layout.headDim) + 4) * 4,
    centroidScores: layout.heads * clusterCapacity(layout) * 4,
  };
}
