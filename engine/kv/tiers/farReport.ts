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
  /** Keys that the policy chose in this step, and those of them that were in the GPU's slots. */
  chosenKeys: number;
  hitKeys: number;
  /** Chosen keys that were fetched, for this step or a later one. */
  fetchedKeys: number;
  /** What was read for it, by tier; of steps that leave misses to later ones only known for all layers (`FarStore`). */
  ramReadBytes: number;
  diskReadBytes: number;
  /** Until it was known what to fetch, and until that was on its way to the GPU. */
  waitMs: number;
  fetchMs: number;
}

/** Of a KV head: keys that the policy chose, and of these what was on the GPU. */
export interface HeadKeys {
  chosen: number;
  hits: number;
}

export function emptyReport(): LayerReport {
  return { farKeys: 0, exactKeys: 0, estimatedKeys: 0, missedKeys: 0, droppedKeys: 0, chosenKeys: 0, hitKeys: 0, fetchedKeys: 0, ramReadBytes: 0, diskReadBytes: 0, waitMs: 0, fetchMs: 0 };
}

export function headKeys(requests: LayerRequests): HeadKeys[] {
  return Array.from({ length: requests.kvHeads }, (_, kvHead) => ({ chosen: requests.chosen(kvHead), hits: requests.hits(kvHead) }));
}

/**
 * Of a layer in a step that left its misses to later ones and attended exactly to `exactKeys` far keys. `requests`: what it chose
 * in this step; null if it did not choose.
 */
export function laterReport(requests: LayerRequests | null, exactKeys: number, { policy: { estimate }, farTokens, kvHeads }: { policy: Policy; farTokens: number; kvHeads: number }): LayerReport {
  const farKeys = farTokens * kvHeads;
  const [chosenKeys, hitKeys, fetchedKeys] = requests ? [requests.chosen, requests.hits, requests.requested].map((of) => requests.sum(of)) : [0, 0, 0];
  const missedKeys = chosenKeys - hitKeys;
  const others = farKeys - exactKeys - missedKeys;
  return { ...emptyReport(), farKeys, exactKeys, estimatedKeys: estimate ? others : 0, missedKeys, droppedKeys: estimate ? 0 : others, chosenKeys, hitKeys, fetchedKeys };
}

/** Sums over the steps and layers since the last reset. */
export class FarReport {
  readonly total: LayerReport = emptyReport();
  /** Steps × layers that are in the total. */
  layerSteps = 0;
  /** Hears of every layer of every step. */
  listener: ((layer: number, report: LayerReport, heads: readonly HeadKeys[]) => void) | null = null;

  /** `layer`: among those that see everything. `heads`: for each KV head, where the policy chose. */
  add(layer: number, report: LayerReport, heads: readonly HeadKeys[] = []): void {
    for (const key of Object.keys(this.total) as (keyof LayerReport)[]) this.total[key] += report[key];
    this.layerSteps++;
    this.listener?.(layer, report, heads);
  }

  reset(): void {
    Object.assign(this.total, emptyReport());
    this.layerSteps = 0;
  }
}
