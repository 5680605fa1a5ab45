/** GPU memory and numbers that all far layers of a model share: they work one after the other. */
import type { Device } from '../../device/device.ts';
import { allocatePartials, type Partials } from '../../layers/attention/merge.ts';
import { allocateClusterScratch } from '../../retrieval/clusters.ts';
import { StepUniform } from '../../layers/step.ts';
import { clusterCapacity, type FarLayout, sinkTokens } from '../../retrieval/layout.ts';
import { SegmentUniform } from '../../retrieval/segmentUniform.ts';
import { Selection } from '../../retrieval/select.ts';
import { SketchSelectScratch } from '../../retrieval/sketchSelect.ts';
import { stageCount, type TierPlan } from './plan.ts';
import { Arrivals } from './arrivals.ts';
import { recordWords } from './record.ts';
import { LookupUniforms } from './slotLookup.ts';

/** Workgroups along the keys of each part while decoding; one while reading, where rows keep the cores busy. */
export interface Splits {
  ring: number;
  far: number;
  rest: number;
}

const decodeSplits = { gpu: { ring: 8, far: 32, rest: 32 }, software: { ring: 2, far: 2, rest: 2 } };
/** On GPUs a split of the clusters has at most so many, as long as there are no more workgroups than an H200 has at work at once: those that come later end later. */
const splitClusters = 256;
const mostRestSplits = 128;
const mostRestWorkgroups = 384;
const readSplits: Splits = { ring: 1, far: 1, rest: 0 };

function restSplits(layout: FarLayout): number {
  const most = Math.min(mostRestSplits, Math.floor(mostRestWorkgroups / layout.kvHeads));
  return Math.max(decodeSplits.gpu.rest, Math.min(most, Math.ceil(clusterCapacity(layout) / splitClusters)));
}

/** Vectors that are put into slots at once: what a step of an 8B model misses that misses a tenth. */
const maxArrivals = 8192;

const sumOf = ({ ring, far, rest }: Splits): number => ring + far + rest;

/** For all rows of a chunk while it is read. */
export interface ChunkScratch {
  /** [maxChunkRows][heads·headDim] f32. */
  queries: GPUBuffer;
  /** One split for a whole chunk, several for a few rows: `vectors` of them in all. */
  partials: Partials;
  vectors: number;
  step: StepUniform;
}

export class FarScratch {
  readonly chunk: ChunkScratch;
  readonly partials: Partials;
  /** Streamed windows of keys and values, [kvHead][stageTokens][words]: one is filled while another is attended to. */
  readonly stages: readonly { keys: GPUBuffer; values: GPUBuffer }[];
  /** A sealed segment of one layer on its way out: keys, then values. */
  readonly packed: GPUBuffer;
  readonly arrivals: Arrivals;
  readonly lookups: LookupUniforms;
  /** Chosen tokens of a head that are attended to at once. */
  readonly room: number;
  /** Slots to attend to, [kvHead][listCapacity], the sinks first. */
  readonly list: GPUBuffer;
  readonly listCounts: GPUBuffer;
  readonly listCapacity: number;
  readonly selection: Selection;
  readonly select: SketchSelectScratch;
  /** [layer][kvHead] u32: far tokens that a layer attends to exactly when it attends to all that its slots hold. */
  readonly held: GPUBuffer;
  readonly clusterScratch: GPUBuffer;
  readonly segment: SegmentUniform;
  readonly #device: Device;
  readonly #decodeSplits: Splits;

  constructor(device: Device, plan: TierPlan) {
    const { layout, maxRows, maxChunkRows } = plan;
    const { kvHeads, heads, headDim, segmentTokens } = layout;
    const words = recordWords(plan.format, headDim);
    const splits = decodeSplits[device.facts.kind];
    this.#decodeSplits = device.facts.kind === 'gpu' ? { ...splits, rest: restSplits(layout) } : splits;
    const storage = (label: string, count: number): GPUBuffer => device.memory.storage('activations', label, count * 4);
    const staging = (label: string, count: number): GPUBuffer => device.memory.storage('kv', label, count * 4);
    this.#device = device;
    this.partials = allocatePartials(device, 1, Math.max(2 * maxRows, sumOf(this.#decodeSplits)) * heads, headDim);
    // A lone row may be split sixteen times.
    const vectors = Math.max(maxChunkRows, 16) * heads;
    this.chunk = { queries: storage('chunk queries', maxChunkRows * heads * headDim), partials: allocatePartials(device, 1, vectors, headDim), vectors, step: new StepUniform(device) };
    const stage = (kind: string): GPUBuffer => staging(`streamed ${kind}`, kvHeads * plan.stageTokens * words);
    this.stages = Array.from({ length: stageCount }, () => ({ keys: stage('keys'), values: stage('values') }));
    this.packed = storage('sealed segment', 2 * kvHeads * segmentTokens * words);
    this.arrivals = new Arrivals(device, { maxArrivals: Math.min(maxArrivals, kvHeads * plan.maxSelected), words, slots: plan.slots });
    this.lookups = new LookupUniforms(device);
    this.room = Math.min(plan.slots - sinkTokens, plan.maxSelected);
    this.listCapacity = sinkTokens + this.room;
    this.list = storage('slot list', kvHeads * this.listCapacity);
    this.listCounts = storage('slot list counts', kvHeads);
    this.selection = new Selection(device, layout, { maxSelected: plan.maxSelected, label: 'selection' });
    this.select = new SketchSelectScratch(device, layout, { maxCandidates: plan.maxCandidates });
    this.held = storage('held tokens', plan.layers * kvHeads);
    this.clusterScratch = allocateClusterScratch(device, layout);
    this.segment = new SegmentUniform(device);
  }

  splits(rows: number): Splits {
    return rows === 1 ? this.#decodeSplits : readSplits;
  }

  free(): void {
    const { queries, partials, step } = this.chunk;
    const buffers = [...Object.values(this.partials), queries, ...Object.values(partials), ...this.stages.flatMap(({ keys, values }) => [keys, values]), this.packed, this.list, this.listCounts, this.held, this.clusterScratch];
    for (const buffer of buffers) this.#device.memory.free(buffer);
    for (const part of [this.arrivals, this.lookups, this.selection, this.select, this.segment, step]) part.free();
  }
}
