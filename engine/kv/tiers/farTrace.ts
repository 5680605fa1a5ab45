/** What each far layer did in each decoding step, on request: what was chosen, from where it came, and how good that was. */
import type { Readback } from '../../device/readback.ts';
import { type AttentionShare, AttentionShareMeter, type TokenListener } from './attentionShare.ts';
import type { FarContext } from './farContext.ts';
import type { FarLayer } from './farLayer.ts';
import type { HeadKeys, LayerReport } from './farReport.ts';

export interface TracedLayer {
  /** Decoding steps since the trace began. */
  step: number;
  /** Among the layers that see everything. */
  layer: number;
  policy: string;
  /** Over the KV heads; see `LayerReport`. */
  report: LayerReport;
  /** For each KV head; empty where the policy does not choose. */
  heads: HeadKeys[];
  /** Against full attention, of the steps that were measured: over all heads, and for each KV head and query head. */
  share: AttentionShare | null;
}

/**
 * While it is open the context reports to it. `measureEverySteps`: how often recall and mass are computed; 0: never.
 * `onTokens` hears of every KV head that is measured.
 */
export class FarTrace {
  readonly #context: FarContext;
  readonly #meter: AttentionShareMeter | null;
  #layers: TracedLayer[] = [];
  #counts: number[] = [];

  constructor(context: FarContext, readback: Readback, measureEverySteps: number, onTokens?: TokenListener) {
    this.#context = context;
    this.#meter = measureEverySteps > 0 ? new AttentionShareMeter(readback, context, measureEverySteps, onTokens) : null;
    context.report.listener = (layer, report, heads) => this.#note(layer, report, heads);
    if (this.#meter) context.observer = { observe: (layer) => this.#observe(layer) };
  }

  /** What was reported since it was last asked. */
  take(): TracedLayer[] {
    return this.#layers.splice(0);
  }

  close(): void {
    this.#context.report.listener = null;
    if (this.#meter) this.#context.observer = null;
  }

  #note(layer: number, report: LayerReport, heads: readonly HeadKeys[]): void {
    const step = this.#counts[layer] ?? 0;
    this.#counts[layer] = step + 1;
    this.#layers.push({ step, layer, policy: this.#context.policy.name, report, heads: [...heads], share: null });
  }

  async #observe(layer: FarLayer): Promise<void> {
    const share = await this.#meter?.observe(layer);
    const noted = this.#layers.findLast((one) => one.layer === layer.index);
    if (share && noted) noted.share = share;
  }
}
