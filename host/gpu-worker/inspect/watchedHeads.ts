/** Which heads are watched while an answer is written: those that fetch, and one of each group of layers, as far as time allows. */
import type { InspectedHead } from '../../../engine/inspect/inspection.ts';
import type { Step } from '../../../engine/layers/step.ts';
import type { Runner } from '../../../engine/runner.ts';
import { attentionHeads, isPlainAttention, type ModelSpec } from '../../../engine/models/spec.ts';
import { layerGroups } from './headStatistics.ts';

/** Heads that the shares of blocks are the mean of, at most. */
const mostFetching = 6;
/**
 * What watching may take of a step's time, and how much longer its arithmetic takes than that of a step, by what
 * bench/liveAttention.ts gave on an adapter that computes on the processor. On a GPU arithmetic is nothing, but each layer's
 * dispatch takes as long as one of the step's own: six of a step's hundred made it 1.06 times as long (H200).
 */
const mostShare = 0.03;
const slowness = 8;

export interface WatchedHeads {
  /** Strongest first. */
  fetching: InspectedHead[];
  /** Those and the others. */
  all: InspectedHead[];
}

export interface StepCosts {
  flops: number;
  /** Infinity where they take no time beside the arithmetic. */
  dispatches: number;
}

/** Of a decoding step. */
export function costsOfStep({ layers, head }: Pick<Runner, 'layers' | 'head'>, step: Step, adapter: 'gpu' | 'software'): StepCosts {
  const flops = [...layers, ...head].map((part) => part.work(step).flops);
  return { flops: flops.reduce((sum, some) => sum + some, 0), dispatches: adapter === 'gpu' ? flops.filter((some) => some > 0).length : Infinity };
}

/**
 * `ranked`: the model's heads that fetch, strongest first; empty where nothing is known of it. `keys`: tokens that are
 * seen; `step`: what a decoding step behind them takes, or of what it may. null where no layer attends.
 */
export function chooseWatchedHeads(spec: ModelSpec, ranked: readonly InspectedHead[], { keys, step }: { keys: number; step: StepCosts }): WatchedHeads | null {
  const wanted = (ranked.length > 0 ? ranked : spreadHeads(spec)).slice(0, mostFetching);
  if (wanted.length === 0) return null;
  const covered = new Set(wanted.map(({ layer }) => layer));
  const others = layerGroups(spec).flatMap(({ layers }) => (layers.some((layer) => covered.has(layer)) ? [] : [headOf(spec, layers[layers.length >> 1])]));
  const cost = ({ layer }: InspectedHead): number => {
    const { mixer } = spec.blocks[layer];
    return isPlainAttention(mixer) ? 2 * mixer.headDim * Math.min(keys, mixer.windowTokens ?? Infinity) * slowness : 0;
  };
  // Two that fetch, what other layers do, and then the rest of them.
  const inOrder = [...wanted.slice(0, 2), ...others, ...wanted.slice(2)];
  const mostLayers = Math.max(1, Math.floor(mostShare * step.dispatches));
  const all: InspectedHead[] = [];
  const layers = new Set<number>();
  let spent = 0;
  for (const head of inOrder) {
    if (!layers.has(head.layer) && layers.size >= mostLayers) continue;
    spent += cost(head);
    if (all.length > 0 && spent > mostShare * step.flops) break;
    all.push(head);
    layers.add(head.layer);
  }
  return { fetching: wanted.filter((head) => all.includes(head)), all };
}

/** Heads of layers that see everything, spread over the depth of the model. */
function spreadHeads(spec: ModelSpec): InspectedHead[] {
  const layers = spec.blocks.flatMap(({ mixer }, layer) => (mixer.kind === 'full' ? [layer] : []));
  const count = Math.min(mostFetching, layers.length);
  // The middle ones first: fetching is done there more often than at either end.
  const places = Array.from({ length: count }, (_, i) => layers[Math.floor(((i + 0.5) * layers.length) / count)]);
  return places.sort((a, b) => Math.abs(a - layers.length / 2) - Math.abs(b - layers.length / 2)).map((layer) => headOf(spec, layer));
}

/** Not always the same head of a layer. */
function headOf(spec: ModelSpec, layer: number): InspectedHead {
  return { layer, head: (5 * layer) % attentionHeads(spec.blocks[layer].mixer) };
}
