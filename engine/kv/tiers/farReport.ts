/** What a step did with the far keys: for the interface, the inspector and the truth bench. */
export interface LayerReport {
  /** Far keys in all, over the KV heads. */
  farKeys: number;
  /** Of those: attended exactly, estimated by clusters, dropped. */
  exactKeys: number;
  estimatedKeys: number;
  droppedKeys: number;
  /** Chosen keys that were in the GPU's slots. */
  hitKeys: number;
  /** Chosen keys that were fetched. */
  missedKeys: number;
  /** Until it was known what to fetch, and until that was on its way to the GPU. */
  waitMs: number;
  fetchMs: number;
}

export function emptyReport(): LayerReport {
  return { farKeys: 0, exactKeys: 0, estimatedKeys: 0, droppedKeys: 0, hitKeys: 0, missedKeys: 0, waitMs: 0, fetchMs: 0 };
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
