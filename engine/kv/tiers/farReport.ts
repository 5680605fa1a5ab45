/** What steps did with far keys. */
import type { Policy } from './policy.ts';
import type { LayerRequests } from './requestReader.ts';

/** What a step did with the far keys: for the interface, the inspector and the truth bench. */
export interface LayerReport {
  /** Far keys in all, over the KV heads. */
  farKeys: number;
  /**
   * Of those: attended exactly, estimated by clusters, chosen but not there in time (estimated if the policy does so),
   * dropped. The four add up to all.
   */
  exactKeys: number;
  estimatedKeys: number;
  missedKeys: number;
  droppedKeys: number;
  /** Chosen keys that were in the GPU's slots. */
  hitKeys: number;
  /** Chosen keys that were fetched, for this step or a later one. */
  fetchedKeys: number;
  /** Until it was known what to fetch, and until that was on its way to the GPU. */
  waitMs: number;
  fetchMs: number;
}

export function emptyReport(): LayerReport {
  return { farKeys: 0, exactKeys: 0, estimatedKeys: 0, missedKeys: 0, droppedKeys: 0, hitKeys: 0, fetchedKeys: 0, waitMs: 0, fetchMs: 0 };
}

/** Of a layer in a step that left its misses to later ones. */
export function laggedReport(requests: LayerRequests, { estimate }: Policy, farTokens: number): LayerReport {
  const farKeys = farTokens * requests.kvHeads;
  const exactKeys = requests.sum(requests.hits);
  const missedKeys = requests.sum(requests.chosen) - exactKeys;
  const others = farKeys - exactKeys - missedKeys;
  return {
    ...emptyReport(),
    farKeys,
    exactKeys,
    estimatedKeys: estimate ? others : 0,
    missedKeys,
    droppedKeys: estimate ? 0 : others,
    hitKeys: exactKeys,
    fetchedKeys: requests.sum(requests.requested),
  };
}

/** Sums over the steps and layers since the last reset. */
export class FarReport {
  readonly total: LayerReport = emptyReport();
  /** Steps × layers that are in the total. */
  layerSteps = 0;

  add(layer: LayerReport): void {
    for (const key of Object.keys(this.total) as (keyof LayerReport)[]) this.total[key] += layer[key];
    this.layerSteps++;
  }

  reset(): void {
    Object.assign(this.total, emptyReport());
    this.layerSteps = 0;
  }
}
