/**
 * Bounds of pages of 16 keys, and the scores that they allow: the ranking of the `quest` policy (Quest, arXiv
 * 2406.10774, §3).
 *
 * Bounds are f16 and not 8-bit: Quest keeps them in the keys' precision, a ring of f16 keys has them exactly, and with
 * one 8-bit scale a page the few channels of large keys would widen the bounds of all others. They cost 1/16 of f16
 * keys and values.
 */
import loadText from '../../shaders/kv_load.wgsl';
import boundsText from '../../shaders/page_bounds.wgsl';
import scoresText from '../../shaders/page_scores.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch } from '../device/kernel.ts';
import type { KvLayout } from '../layers/attention/layout.ts';
import { sharedUniform } from '../layers/pointwise/bound.ts';
import type { BoundScores } from './clusterScores.ts';
import { type FarLayout, sinkTokens } from './layout.ts';

/** Consecutive tokens of a page. */
export const pageTokens = 16;

/** Bytes of a layer's page bounds. */
export function pageBytes({ kvHeads, headDim, capacityTokens }: FarLayout): number {
  return kvHeads * (capacityTokens / pageTokens) * headDim * 4;
}

/** [kvHead][capacityTokens / 16][headDim] u32: two f16, the minimum in the low half; for one layer. */
export function allocatePages(device: Device, layout: FarLayout, options: { label: string }): GPUBuffer {
  checkPageLayout(layout);
  return device.memory.storage('kv', `${options.label} page bounds`, pageBytes(layout));
}

export interface PageBuildBuffers {
  layout: FarLayout;
  /** Of `keys`; holds at least the segment's tokens. */
  ring: KvLayout;
  keys: GPUBuffer;
  /** From `allocatePages`, written. */
  pages: GPUBuffer;
  /** A `SegmentUniform`: the first segment, written before the submission. */
  segment: GPUBuffer;
}

export interface BoundPageBuild {
  /** Bounds the pages of so many segments from the one that the uniform names on, for all heads of the layer. */
  encode(pass: GPUComputePassEncoder, segments: number): void;
}

/** Keys beyond ±65504 are bounded as if they were there, as a cache of f16 holds them. */
export async function bindPageBuild(device: Device, io: PageBuildBuffers): Promise<BoundPageBuild> {
  const { layout, ring } = io;
  const { kvHeads, headDim, segmentTokens, capacityTokens } = layout;
  checkPageLayout(layout);
  if (ring.kvHeads !== kvHeads || ring.headDim !== headDim) throw new RangeError('the ring and the pages differ in their heads');
  if (ring.capacitySlots < segmentTokens) throw new RangeError(`a ring of ${ring.capacitySlots} slots cannot hold a segment of ${segmentTokens} tokens`);
  const kernel = await device.kernels.get({
    label: 'page_bounds',
    texts: [loadText, boundsText],
    constants: { HALF_CACHE: ring.format === 'f16', WIDE: false, SEGMENT_TOKENS: segmentTokens, HEAD_UNITS: headDim / 4 },
  });
  const shape = sharedUniform(device, 'page shape', [ring.capacitySlots, capacityTokens / pageTokens]);
  const dispatch = { kernel, bindings: kernel.bind(io.segment, shape, io.keys, io.pages) };
  const invocations = (segmentTokens / pageTokens) * (headDim / 4);
  return { encode: (pass, segments) => encodeDispatch(pass, dispatch, Math.ceil(invocations / 64), kvHeads, segments) };
}

export interface PageScoresBuffers {
  layout: FarLayout;
  /** [heads][headDim] f32, already scaled. */
  queries: GPUBuffer;
  pages: GPUBuffer;
  /** [heads][capacityTokens] f32, written up to the sealed tokens: the bound of the token's page; -1e30 for sinks. */
  scores: GPUBuffer;
}

/** `shared`: invocations share a page, for GPUs; `lone`: one invocation a page, for adapters that compute on the processor. */
export type PageScoresKernel = 'shared' | 'lone';

export async function bindPageScores(
  device: Device,
  io: PageScoresBuffers,
  kernel: PageScoresKernel = device.facts.kind === 'software' ? 'lone' : 'shared',
): Promise<BoundScores> {
  const { heads, kvHeads, headDim, capacityTokens } = io.layout;
  checkPageLayout(io.layout);
  const shared = kernel === 'shared';
  const scoring = await device.kernels.get({
    label: 'page_scores',
    texts: [scoresText],
    constants: { SHARED_PAGES: shared, INVOCATIONS: shared ? 64 : 64 / pageTokens, GROUP: heads / kvHeads, SINK_TOKENS: sinkTokens },
  });
  const shape = sharedUniform(device, 'page scores shape', [capacityTokens / pageTokens, headDim]);
  const dispatch = { kernel: scoring, bindings: scoring.bind(shape, io.queries, io.pages, io.scores) };
  return {
    encode(pass, sealedTokens) {
      if (sealedTokens > 0) encodeDispatch(pass, dispatch, sealedTokens / 64, kvHeads);
    },
  };
}

function checkPageLayout({ headDim, segmentTokens, capacityTokens }: FarLayout): void {
  if (headDim % 4 !== 0) throw new RangeError(`heads of ${headDim} dimensions cannot be bounded`);
  if (segmentTokens % 64 !== 0 || capacityTokens % segmentTokens !== 0) {
    throw new RangeError(`${capacityTokens} tokens in segments of ${segmentTokens} cannot be bounded`);
  }
}
