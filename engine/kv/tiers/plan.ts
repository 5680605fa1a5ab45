/**
 * Divides a budget of GPU memory among what a layer with far tokens keeps there: its ring (window, the segment
 * that fills, one chunk), the index over everything far, slots for single tokens, and the windows that far tokens are
 * streamed through. The index comes first: without it nothing is found; slots take what is left.
 */
import { EngineError } from '../../errors.ts';
import { clusterBytes, clusterScratchBytes } from '../../retrieval/clusters.ts';
import { type FarLayout, sinkTokens } from '../../retrieval/layout.ts';
import { pageBytes } from '../../retrieval/pages.ts';
import { keyMeansBytes } from '../../layers/sparseReading/keyMeans.ts';
import { sketchBytes } from '../../retrieval/sketch.ts';
import { sketchSelectScratchBytes } from '../../retrieval/sketchSelect.ts';
import type { AttentionSpec, ModelSpec } from '../../models/spec.ts';
import { type FarFormat, recordWords } from './record.ts';
import { mostSlots, requestBytes, slotBookBytes, slotTableBytes } from './slotTable.ts';

/** Tokens before the current one that are always attended exactly, beside the sinks. */
export const windowTokens = 64;

/** Planes of the sketch that are scanned; further ones rank what these propose. */
export const scannedPlanes = 2;
/** How many times the wanted tokens are proposed. */
export const oversample = 4;

export interface TierBudget {
  /** GPU bytes for keys, values and index of the layers that see everything. */
  gpuBytes: number;
  format: FarFormat;
  contextTokens: number;
  /** Rows that pass through a layer at once, and rows of a chunk, at most. */
  maxRows: number;
  maxChunkRows: number;
  /** Most far tokens a head may attend to exactly in a step, as a share of the context. */
  largestShare: number;
  /** The same as a number, where it is more. */
  largestTokens?: number;
  /** Keep page bounds too, which only the policy `quest` needs. */
  pages?: boolean;
  /** Keep means of keys too, which only sparse reading needs. */
  keyMeans?: boolean;
  /** Leave the sketch out where it does not fit, because no policy needs it. */
  mayLackSketch?: boolean;
}

export interface TierPlan {
  format: FarFormat;
  layout: FarLayout;
  /** That see everything. */
  layers: number;
  /** Slots of a layer's ring, in halves. */
  ringSlots: number;
  /** Cached tokens a KV head and layer, the sinks among them. */
  slots: number;
  /** Most tokens a selection may have. */
  maxSelected: number;
  /** Most tokens that the first planes may propose to the others; 1 where there are no others. */
  maxCandidates: number;
  /** Tokens of a streamed window. */
  stageTokens: number;
  maxRows: number;
  /** Rows of a chunk at most: a ring has room for one. */
  maxChunkRows: number;
  pages: boolean;
  keyMeans: boolean;
  bytes: { ring: number; index: number; slots: number; books: number; shared: number; total: number };
}

/** Windows that far tokens are streamed through, in turn. */
export const stageCount = 2;
/** Share of the budget for all of them. */
const stageShare = 1 / 32;
/** Single tokens of a long context that a head has room for before it gets more planes or a longer chunk. */
const leastSlotShare = 1 / 512;
/** Fewer planes, and then a shorter chunk, before there is no room for single tokens. */
const tried = [
  { planes: 4, chunkShare: 1 },
  { planes: 2, chunkShare: 1 },
  { planes: 1, chunkShare: 1 },
  { planes: 1, chunkShare: 1 / 4 },
  { planes: 0, chunkShare: 1 },
  { planes: 0, chunkShare: 1 / 4 },
] as const;

/** Throws `kv-budget-too-small` with what would be needed. */
export function planTiers(spec: ModelSpec, budget: TierBudget): TierPlan {
  const full = fullLayers(spec);
  const attention = full[0].mixer;
  const affordable = affordableRows(attention, full.length, budget);
  let least = Infinity;
  for (const { planes, chunkShare } of tried.filter(({ planes }) => planes > 0 || budget.mayLackSketch)) {
    const maxChunkRows = chunkShare === 1 ? affordable : Math.max(leastChunkRows, wholeTiles(chunkShare * affordable));
    const plan = planWith(attention, full.length, { ...budget, maxRows: Math.min(budget.maxRows, maxChunkRows), maxChunkRows }, planes);
    const { capacityTokens } = plan.layout;
    if (plan.slots >= Math.min(capacityTokens, sinkTokens + plan.maxSelected / 4, sinkTokens + Math.max(512, leastSlotShare * capacityTokens))) return plan;
    least = plan.bytes.total - plan.bytes.slots + slotBytes(attention, full.length, budget.format) * (sinkTokens + 64);
    if (chunkShare < 1 && plan.slots >= sinkTokens + 64) return plan;
  }
  throw new EngineError(
    'kv-budget-too-small',
    `${budget.contextTokens} tokens of ${spec.name} need at least ${least} bytes of GPU memory for keys, values and their index, but the budget is ${Math.floor(budget.gpuBytes)}.`,
    'Raise the GPU budget, or choose a shorter context.',
  );
}

/** The layers that see everything; they must be alike. */
export function fullLayers(spec: ModelSpec): { index: number; mixer: AttentionSpec }[] {
  const full = spec.blocks.flatMap(({ mixer }, index) => (mixer.kind === 'full' ? [{ index, mixer }] : []));
  const [first] = full;
  const alike = full.every(({ mixer }) => mixer.heads === first.mixer.heads && mixer.kvHeads === first.mixer.kvHeads && mixer.headDim === first.mixer.headDim);
  if (full.length > 0 && alike) return full;
  throw new EngineError('kv-budget-too-small', `${spec.name} has no layers that see everything, or they differ in shape, so its context cannot be offloaded.`, 'Use it without a KV budget.');
}

/** Of a chunk, however small the budget is, if the window is as long. */
const leastChunkRows = 32;

function wholeTiles(rows: number): number {
  return Math.floor(rows / leastChunkRows) * leastChunkRows;
}

/** A chunk takes at most an eighth of the budget in the rings. */
function affordableRows({ kvHeads, headDim }: AttentionSpec, layers: number, { gpuBytes, maxChunkRows }: TierBudget): number {
  const rowBytes = 4 * kvHeads * headDim * layers;
  return Math.max(leastChunkRows, Math.min(maxChunkRows, wholeTiles(gpuBytes / 8 / rowBytes)));
}

function slotBytes({ kvHeads, headDim }: AttentionSpec, layers: number, format: FarFormat): number {
  return (2 * 4 * recordWords(format, headDim) + slotBookBytes) * kvHeads * layers;
}

function planWith(attention: AttentionSpec, layers: number, budget: TierBudget, planes: FarLayout['planes']): TierPlan {
  const { heads, kvHeads, headDim } = attention;
  const { contextTokens, format, maxRows, maxChunkRows, gpuBytes } = budget;
  const segmentTokens = contextTokens >= 32_768 ? 512 : contextTokens >= 16_384 ? 256 : 128;
  const capacityTokens = Math.ceil(contextTokens / segmentTokens) * segmentTokens;
  const layout: FarLayout = { heads, kvHeads, headDim, segmentTokens, capacityTokens, planes };
  const ringSlots = windowTokens + segmentTokens + maxChunkRows;
  const vectorBytes = 4 * recordWords(format, headDim);
  const stageSegments = Math.floor((stageShare * gpuBytes) / (2 * stageCount * kvHeads * vectorBytes * segmentTokens));
  const stageTokens = segmentTokens * Math.max(1, Math.min(stageSegments, capacityTokens / segmentTokens));
  const ring = 4 * kvHeads * ringSlots * headDim * layers;
  const pages = budget.pages ?? false;
  const keyMeans = budget.keyMeans ?? false;
  const index = (sketchBytes(layout) + clusterBytes(layout) + (pages ? pageBytes(layout) : 0) + (keyMeans ? keyMeansBytes(layout, capacityTokens) : 0)) * layers;
  const largest = Math.max(64, budget.largestShare * capacityTokens, budget.largestTokens ?? 0);
  const maxSelected = Math.min(capacityTokens, Math.ceil(largest / 64) * 64);
  const maxCandidates = planes > scannedPlanes ? Math.min(capacityTokens, oversample * maxSelected) : 1;
  const shared = 2 * stageCount * kvHeads * stageTokens * vectorBytes + sketchSelectScratchBytes(layout, { maxCandidates }) + clusterScratchBytes(layout);
  const left = gpuBytes - ring - index - shared;
  const perSlot = slotBytes(attention, layers, format);
  // A lookup asks for no more tokens than can be chosen, nor than there are slots.
  const slotsLeft = Math.max(
    Math.floor((left - slotTableBytes(layout, maxSelected) * layers) / perSlot),
    Math.floor((left - slotTableBytes(layout, 0) * layers) / (perSlot + requestBytes * kvHeads * layers)),
  );
  const slots = Math.max(0, Math.min(slotsLeft, sinkTokens + capacityTokens, mostSlots));
  const slotsBytes = slots * perSlot;
  const books = slotTableBytes(layout, Math.min(maxSelected, slots)) * layers;
  return { format, layout, layers, ringSlots, slots, maxSelected, maxCandidates, stageTokens, maxRows, maxChunkRows, pages, keyMeans, bytes: { ring, index, slots: slotsBytes, books, shared, total: ring + index + slotsBytes + books + shared } };
}
