/**
 * One layer whose context reaches beyond the GPU: a ring for what is fresh, an index over what is far, slots for single
 * far tokens. Attention is the exact merge of the ring, of chosen far tokens, and of the estimated remainder; while
 * reading, of the ring and of everything far, streamed through.
 */
import type { Device } from '../../device/device.ts';
import { KvCache } from '../cache.ts';
import { type BoundMerge, bindMerge } from '../../layers/attention/merge.ts';
import { bindPart, type BoundPart, partKeys } from '../../layers/attention/partial.ts';
import { bindParts, type BoundParts, chooseTogether, type PartKeys } from '../../layers/attention/parts.ts';
import { bindClusterBuild, type BoundClusterBuild, Clusters } from '../../retrieval/clusters.ts';
import { bindClusterScores, type BoundScores } from '../../retrieval/clusterScores.ts';
import { bindDiscount, type BoundDiscount } from '../../retrieval/discount.ts';
import { allocateKeyMeans, bindKeyMeans, type BoundKeyMeans } from '../../layers/sparseReading/keyMeans.ts';
import { blockTokens } from '../../layers/sparseReading/sparseReading.ts';
import { clusterCapacity, type FarLayout } from '../../retrieval/layout.ts';
import { allocatePages, bindPageBuild, bindPageScores, type BoundPageBuild } from '../../retrieval/pages.ts';
import { bindScoreRange, type BoundScoreRange } from '../../retrieval/scoreRange.ts';
import { bindSelect, type BoundSelect } from '../../retrieval/select.ts';
import { bindSketchBuild, type BoundSketchBuild, Sketch } from '../../retrieval/sketch.ts';
import { bindSketchSelect, type BoundSketchSelect } from '../../retrieval/sketchSelect.ts';
import type { FarScratch } from './farScratch.ts';
import { bindMove, bindScatter, type BoundMove, type BoundScatter } from './move.ts';
import type { TierPlan } from './plan.ts';
import { recordWords } from './record.ts';
import { bindSlotLookup, type BoundSlotLookup } from './slotLookup.ts';
import { SlotTable } from './slotTable.ts';
import { bindSlotWeights, type BoundSlotWeights } from './slotWeights.ts';

/** The layer's memory; apart from binding, so that all layers are allocated inside one memory check. */
export class FarMemory {
  readonly ring: KvCache;
  readonly slotKeys: GPUBuffer;
  readonly slotValues: GPUBuffer;
  readonly table: SlotTable;
  readonly sketch: Sketch;
  readonly clusters: Clusters;
  /** Page bounds; null when the plan has none. */
  readonly pages: GPUBuffer | null;
  /** For sparse reading; null when the plan has none. */
  readonly keyMeans: GPUBuffer | null;
  readonly #device: Device;

  constructor(device: Device, label: string, plan: TierPlan) {
    const { layout, slots, ringSlots, format } = plan;
    const { kvHeads, headDim } = layout;
    this.#device = device;
    this.ring = new KvCache(device, label, { format: 'f16', kvHeads, headDim, capacitySlots: ringSlots }, null);
    const slotBytes = 4 * kvHeads * slots * recordWords(format, headDim);
    this.slotKeys = device.memory.storage('kv', `${label} slot keys`, slotBytes);
    this.slotValues = device.memory.storage('kv', `${label} slot values`, slotBytes);
    this.table = new SlotTable(device, label, plan);
    this.sketch = Sketch.create(device, layout, { label });
    this.clusters = Clusters.create(device, layout, { label });
    this.pages = plan.pages ? allocatePages(device, layout, { label }) : null;
    this.keyMeans = plan.keyMeans ? allocateKeyMeans(device, layout, layout.capacityTokens, label) : null;
  }

  free(): void {
    for (const part of [this.ring, this.table, this.sketch, this.clusters]) part.free();
    for (const buffer of [this.slotKeys, this.slotValues, this.pages, this.keyMeans]) if (buffer) this.#device.memory.free(buffer);
  }
}

export interface FarLayer {
  /** Among the far layers, from 0. */
  index: number;
  /** [rows][heads·headDim] f32, scaled: the step's, until the next layer's. */
  queries: GPUBuffer;
  memory: FarMemory;
  /** Causal attention over the ring. */
  near: BoundPart;
  /** Over listed slots. */
  listed: BoundPart;
  /** Over clusters, by what remains of them. */
  estimated: BoundPart;
  /** A row alone, over the clusters, then the listed slots or all slots by their weights, then the ring. */
  together: { list: BoundParts; held: BoundParts };
  merge: BoundMerge;
  /** Chooses by the sketch; null without one. */
  select: BoundSketchSelect | null;
  /** Scores by clusters and by page bounds; null without page bounds. */
  clusterScores: BoundScores;
  pageScores: BoundScores | null;
  /** Chooses by the scores that one of the others has written; `scoreRange` must have seen every window. */
  scoreRange: BoundScoreRange;
  selectScored: BoundSelect;
  discount: BoundDiscount;
  pack: { keys: BoundMove; values: BoundMove };
  unpack: { keys: BoundMove; values: BoundMove };
  /** Finds the slots of the chosen tokens; `lookupFurther` those that did not fit into the list before. */
  lookup: BoundSlotLookup;
  lookupFurther: BoundSlotLookup;
  /** Leaves what must be fetched to a later step. */
  lookupLagged: BoundSlotLookup;
  scatter: BoundScatter;
  /** Finds what the slots hold. */
  weighSlots: BoundSlotWeights;
  sketchBuild: BoundSketchBuild | null;
  clusterBuild: BoundClusterBuild;
  pageBuild: BoundPageBuild | null;
  meansBuild: BoundKeyMeans | null;
}

export interface FarLayerBuffers {
  /** [rows][heads·headDim] f32, scaled. */
  queries: GPUBuffer;
  /** [rows][heads·headDim] f32, the result. */
  mixed: GPUBuffer;
  step: GPUBuffer;
}

export async function bindFarLayer(device: Device, index: number, memory: FarMemory, scratch: FarScratch, plan: TierPlan, io: FarLayerBuffers): Promise<FarLayer> {
  const { layout, format } = plan;
  const { heads, kvHeads, headDim, segmentTokens, capacityTokens } = layout;
  const { ring, slotKeys, slotValues, table, sketch, clusters, pages, keyMeans } = memory;
  const [stage] = scratch.stages;
  const sketched = layout.planes > 0;
  const common = { queries: io.queries, heads, kvHeads, headDim, partials: scratch.partials, step: io.step };
  const ofRing: PartKeys = { source: { kind: 'ring', format: 'f16' }, keys: ring.keys, values: ring.values, capacitySlots: plan.ringSlots };
  const slots = { keys: slotKeys, values: slotValues, capacitySlots: plan.slots };
  const ofList: PartKeys = { source: { kind: 'list', format, list: scratch.list, counts: scratch.listCounts, listCapacity: scratch.listCapacity }, ...slots };
  const ofHeld: PartKeys = { source: { kind: 'weighed', format, weights: table.weights }, ...slots };
  const ofClusters: PartKeys = { source: { kind: 'weighed', format: 'q8', weights: clusters.remaining }, keys: clusters.centroids, values: clusters.valueMeans, capacitySlots: clusterCapacity(layout) };
  const alone = ({ source, ...stored }: PartKeys): Promise<BoundPart> => bindPart(device, source, { ...common, ...stored });
  const together = async (ofSlots: PartKeys): Promise<BoundParts> => {
    const parts = [ofClusters, ofSlots, ofRing];
    return bindParts(device, parts, common, { variants: await chooseTogether(device, parts.map((part) => partKeys(part.source, { ...common, ...part }))) });
  };
  const [near, listed, estimated] = await Promise.all([ofRing, ofList, ofClusters].map(alone));
  const halfPacked = kvHeads * segmentTokens * recordWords(format, headDim) * 4;
  const packedHalf = (offset: number) => ({ buffer: scratch.packed, offset, size: halfPacked });
  const move = async (direction: 'pack' | 'unpack', stored: { keys: GPUBufferBinding | GPUBuffer; values: GPUBufferBinding | GPUBuffer }) => ({
    keys: await bindMove(device, direction, { ring: ring.keys, layout: ring.layout, stored: stored.keys, format }),
    values: await bindMove(device, direction, { ring: ring.values, layout: ring.layout, stored: stored.values, format }),
  });
  const shared = { layout, ring: ring.layout, keys: ring.keys };
  const { selection, list, listCounts, listCapacity } = scratch;
  const lookup = (numbers: GPUBuffer, waiting = true): Promise<BoundSlotLookup> =>
    bindSlotLookup(device, { layout, slots: plan.slots, maxSelected: plan.maxSelected, table, selection, list, listCounts, listCapacity, numbers, waiting });
  return {
    index,
    queries: io.queries,
    memory,
    near,
    listed,
    together: { list: await together(ofList), held: await together(ofHeld) },
    estimated,
    merge: await bindMerge(device, { partials: scratch.partials, output: io.mixed, headDim }),
    select: sketched ? await bindSketchSelect(device, { layout, sketch, clusters, queries: io.queries, scratch: scratch.select, selection: scratch.selection }) : null,
    clusterScores: await bindClusterScores(device, {
      layout,
      queries: io.queries,
      clusters,
      tokenWords: sketch.tokenWords,
      scores: scratch.select.scores,
      sizeTerm: false,
    }),
    pageScores: pages ? await bindPageScores(device, { layout, queries: io.queries, pages, scores: scratch.select.scores }) : null,
    scoreRange: await bindScoreRange(device, {
      layout,
      format,
      queries: io.queries,
      keys: stage.keys,
      stride: plan.stageTokens,
      scores: scratch.select.scores,
    }),
    selectScored: await bindSelect(device, {
      heads,
      kvHeads,
      scores: scratch.select.scores,
      stride: capacityTokens,
      uniform: scratch.select.uniforms.choose,
      scratch: scratch.select.select,
      selection: scratch.selection,
    }),
    discount: await bindDiscount(device, {
      layout,
      selectionTokens: scratch.selection.tokens,
      selectionCounts: scratch.selection.counts,
      maxSelected: plan.maxSelected,
      tokenWords: sketch.tokenWords,
      counts: clusters.counts,
      remaining: clusters.remaining,
    }),
    pack: await move('pack', { keys: packedHalf(0), values: packedHalf(halfPacked) }),
    unpack: await move('unpack', stage),
    lookup: await lookup(scratch.lookups.first),
    lookupLagged: await lookup(scratch.lookups.first, false),
    lookupFurther: await lookup(scratch.lookups.further),
    scatter: await bindScatter(device, { layer: index, arrivals: scratch.arrivals, keys: slotKeys, values: slotValues, table, layout, slots: plan.slots, format }),
    weighSlots: await bindSlotWeights(device, { layer: index, layout, slots: plan.slots, table, clusters, tokenWords: sketch.tokenWords, held: scratch.held }),
    sketchBuild: sketched ? await bindSketchBuild(device, { ...shared, sketch, clusters, segment: scratch.segment.buffer }) : null,
    clusterBuild: await bindClusterBuild(device, {
      ...shared,
      values: ring.values,
      clusters,
      tokenWords: sketch.tokenWords,
      scratch: scratch.clusterScratch,
      segment: scratch.segment.buffer,
    }),
    meansBuild: keyMeans ? await bindKeyMeans(device, { layout: ring.layout, keys: ring.keys, means: keyMeans, contextTokens: capacityTokens }) : null,
    pageBuild: pages ? await bindPageBuild(device, { ...shared, pages, segment: scratch.segment.buffer }) : null,
  };
}

/** Builds the layer's index over so many segments from `first` on, which the scratch's uniform names. */
export function encodeIndex(pass: GPUComputePassEncoder, layer: FarLayer, { segmentTokens }: FarLayout, { first, segments }: { first: number; segments: number }): void {
  const blocks = segmentTokens / blockTokens;
  layer.meansBuild?.encode(pass, first * blocks, segments * blocks);
  layer.clusterBuild.encode(pass, segments);
  // Sketches what the clusters' centroids leave of the keys.
  layer.sketchBuild?.encode(pass, segments);
  layer.pageBuild?.encode(pass, segments);
}
