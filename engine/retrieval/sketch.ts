/**
 * The sketch: a copy of a layer's keys in a few bits a dimension, by which far tokens are ranked without reading
 * their keys. What is left of a key less its cluster's centroid, of which there are few bits to tell, is weighed by what
 * queries have in each dimension, rotated so that no dimension stands out, and quantised with one scale a token. The bits lie in planes, so that a scan may read fewer
 * of them than a later, finer look.
 * It approximates the inner product itself and therefore does not mind that queries lie far from keys.
 * Sources: RaBitQ (arXiv 2405.12497) for centring and rotating, QuaRot (arXiv 2404.00456) for the Hadamard transform.
 */
import loadText from '../../shaders/kv_load.wgsl';
import encodeText from '../../shaders/sketch_encode.wgsl';
import rotateText from '../../shaders/sketch_rotate.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch } from '../device/kernel.ts';
import type { KvLayout } from '../layers/attention/layout.ts';
import { sharedUniform } from '../layers/pointwise/bound.ts';
import type { Clusters } from './clusters.ts';
import { clustersPerSegment, type FarLayout } from './layout.ts';

/** Bytes of one layer's sketch, the words that it shares with the token → cluster map included, which are there without planes, too. */
export function sketchBytes(layout: FarLayout): number {
  const { planes, tokenWords, dimensions } = partBytes(layout);
  return planes + tokenWords + dimensions;
}

/** u32 words of one plane of a token: 32 dimensions each, the last one filled up with zeros. */
export function planeWords(headDim: number): number {
  return Math.ceil(headDim / 32);
}

/** Dimensions that the Hadamard transform mixes: the largest power of two that divides headDim. */
export function rotationBlock(headDim: number): number {
  return headDim & -headDim;
}

/** The sketch of one layer; sinks are sketched too, so that a token's index is its position. */
export class Sketch {
  /** [kvHead][plane][capacityTokens][planeWords] u32; bit i of word w is dimension 32·w + i. One word that means nothing where there are no planes. */
  readonly planes: GPUBuffer;
  /** [kvHead][capacityTokens] u32: low 16 bits the scale as f16, high 16 bits the token's cluster in its segment, which `Clusters` write. */
  readonly tokenWords: GPUBuffer;
  /** [headDim] f32: what keys are multiplied by before they are rotated, and queries divided by; `dimensionWeights`. */
  readonly dimensions: GPUBuffer;
  readonly #device: Device;

  private constructor(device: Device, layout: FarLayout, label: string) {
    const { planes, tokenWords, dimensions } = partBytes(layout);
    this.#device = device;
    this.planes = device.memory.storage('kv', `${label} sketch planes`, planes);
    this.tokenWords = device.memory.storage('kv', `${label} sketch token words`, tokenWords);
    this.dimensions = device.memory.storage('kv', `${label} sketch dimensions`, dimensions);
    this.weigh(new Float32Array(layout.headDim).fill(1));
  }

  /** Wrap in `device.memory.checked`: the buffers may not fit. Throws a RangeError for layouts that the kernels cannot do. */
  static create(device: Device, layout: FarLayout, options: { label: string }): Sketch {
    checkSketchLayout(layout);
    return new Sketch(device, layout, options.label);
  }

  /** [headDim]; before anything is sketched. */
  weigh(dimensions: Float32Array<ArrayBuffer>): void {
    this.#device.gpu.queue.writeBuffer(this.dimensions, 0, dimensions);
  }

  free(): void {
    for (const buffer of [this.planes, this.tokenWords, this.dimensions]) this.#device.memory.free(buffer);
  }
}

export interface SketchBuildBuffers {
  layout: FarLayout;
  /** Of `keys`; holds at least the segment's tokens. */
  ring: KvLayout;
  keys: GPUBuffer;
  sketch: Sketch;
  clusters: Pick<Clusters, 'centroids'>;
  /** A `SegmentUniform`: the first segment, written before the submission. */
  segment: GPUBuffer;
}

export interface BoundSketchBuild {
  /** Sketches so many segments from the one that the uniform names on, which were clustered before, for all heads of the layer. */
  encode(pass: GPUComputePassEncoder, segments: number): void;
}

const tokensAtOnce = 4;

export async function bindSketchBuild(device: Device, io: SketchBuildBuffers): Promise<BoundSketchBuild> {
  const { layout, ring, keys, sketch, clusters, segment } = io;
  const { kvHeads, headDim, segmentTokens, capacityTokens, planes } = layout;
  checkSketchLayout(layout);
  if (planes === 0) throw new RangeError('there is no sketch to build');
  if (ring.kvHeads !== kvHeads || ring.headDim !== headDim) throw new RangeError('the ring and the sketch differ in their heads');
  if (ring.capacitySlots < segmentTokens) throw new RangeError(`a ring of ${ring.capacitySlots} slots cannot hold a segment of ${segmentTokens} tokens`);
  const kernel = await device.kernels.get({
    label: 'sketch_encode',
    texts: [loadText, rotateText, encodeText],
    constants: {
      HALF_CACHE: ring.format === 'f16',
      WIDE: false,
      UNITS: headDim / 4,
      SEGMENT_TOKENS: segmentTokens,
      CLUSTERS: clustersPerSegment(layout),
      INVOCATIONS: 64,
      VECTORS: tokensAtOnce,
      HEAD_DIM: headDim,
      BLOCK: rotationBlock(headDim),
      PLANES: planes,
      SIGNS: planes === 1,
      PREFIX: planes === 4,
      WORDS: planeWords(headDim),
    },
  });
  const shape = sharedUniform(device, 'sketch shape', [ring.capacitySlots, capacityTokens, rotationBlock(headDim)]);
  const bindings = kernel.bind(segment, shape, keys, clusters.centroids, sketch.planes, sketch.tokenWords, sketch.dimensions);
  return {
    encode(pass, segments) {
      encodeDispatch(pass, { kernel, bindings }, segmentTokens / tokensAtOnce, kvHeads, segments);
    },
  };
}

/** Throws a RangeError for layouts that the kernels cannot do. */
export function checkSketchLayout({ heads, kvHeads, headDim, segmentTokens, capacityTokens, planes }: FarLayout): void {
  if (heads % kvHeads !== 0) throw new RangeError(`${heads} heads cannot share ${kvHeads} key-value heads evenly`);
  if (headDim % 16 !== 0 || headDim > 256) throw new RangeError(`heads of ${headDim} dimensions cannot be sketched`);
  if (segmentTokens % 64 !== 0) throw new RangeError(`segments of ${segmentTokens} tokens cannot be sketched`);
  if (capacityTokens % segmentTokens !== 0) throw new RangeError(`${capacityTokens} tokens are not whole segments of ${segmentTokens}`);
  if (![0, 1, 2, 4].includes(planes)) throw new RangeError(`a sketch cannot have ${String(planes)} planes`);
}

function partBytes(layout: FarLayout): { planes: number; tokenWords: number; dimensions: number } {
  const { kvHeads, headDim, capacityTokens } = layout;
  return {
    planes: Math.max(1, kvHeads * layout.planes * capacityTokens * planeWords(headDim)) * 4,
    tokenWords: kvHeads * capacityTokens * 4,
    dimensions: headDim * 4,
  };
}
