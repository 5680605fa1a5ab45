/**
 * An answer's steps once more, as they were decoded: what the policy chose among keys beyond the GPU, what would have
 * been the best choice, what weight was missed, and where the keys lie.
 */
import { sinkTokens } from '../retrieval/layout.ts';
import type { FarContext } from '../kv/tiers/farContext.ts';
import { FarTrace, type TracedLayer } from '../kv/tiers/farTrace.ts';
import type { InspectionParts } from './inspection.ts';

export interface ReplayedStep {
  /** Sums over layers and KV heads: keys that the policy chose, of these on the GPU, and fetched. */
  chosen: number;
  hits: number;
  fetched: number;
  ramReadBytes: number;
  diskReadBytes: number;
  waitMs: number;
  fetchMs: number;
  /** Against full attention, a mean over layers; null in steps that were not sampled. */
  recall: number | null;
  mass: number | null;
}

/** By position, from 0 to where the keys are fresh: shares of sampled steps, layers and KV heads. */
export interface RetrievalReplay {
  policy: string;
  /** Keys before this position are beyond the GPU, but for the first ones. */
  sealed: number;
  steps: ReplayedStep[];
  sampledSteps: number;
  /** Chosen by the policy; among as many best ones; full attention's weight on the token where it was not chosen. */
  returned: Float32Array;
  best: Float32Array;
  missed: Float32Array;
  /** Of layers and KV heads that have the token on the GPU now, and of the others those that have it in RAM; else it is on disk. */
  onGpu: Float32Array;
  inRam: Float32Array;
}

export interface ReplayOptions {
  tokens: readonly number[];
  /** The row that wrote the answer's first token. */
  firstRow: number;
  /** How many steps are compared with full attention, which costs a pass over all keys on the CPU. */
  samples: number;
  signal?: AbortSignal;
}

/** null where everything is on the GPU. The sequence then is `tokens` without the last one. */
export async function replayRetrieval({ runner, sequence, readback }: InspectionParts, { tokens, firstRow, samples, signal }: ReplayOptions): Promise<RetrievalReplay | null> {
  await sequence.extend(tokens.slice(0, firstRow), { signal });
  const { far } = runner;
  if (!far || far.sealed === 0) return null;
  const { kvHeads, capacityTokens } = far.plan.layout;
  const rows = tokens.length - 1 - firstRow;
  // More may be sealed on the way.
  const [returned, best, missed] = [new Float32Array(capacityTokens), new Float32Array(capacityTokens), new Float32Array(capacityTokens)];
  let measured = 0;
  const trace = new FarTrace(far, readback, Math.max(1, Math.ceil(rows / samples)), (_, weights, chosen) => {
    measured++;
    const there = new Set(chosen);
    for (const token of there) returned[token]++;
    for (const token of bestTokens(weights, chosen.length)) best[token]++;
    for (let token = sinkTokens; token < weights.length; token++) if (!there.has(token)) missed[token] += weights[token];
  });
  const traced: TracedLayer[] = [];
  try {
    await sequence.extend(tokens.slice(0, -1), { signal, asDecoding: true, onChunk: async () => void traced.push(...trace.take()) });
    await far.settleLagged();
    traced.push(...trace.take());
  } finally {
    trace.close();
  }
  for (const sums of [returned, best, missed]) for (const [token, sum] of sums.entries()) sums[token] = sum / Math.max(1, measured);
  const { sealed } = far;
  const upTo = (sums: Float32Array): Float32Array => sums.slice(0, sealed);
  const sampledSteps = measured / (far.layers.length * kvHeads);
  return { policy: far.policy.name, sealed, steps: stepsOf(traced), sampledSteps, returned: upTo(returned), best: upTo(best), missed: upTo(missed), ...(await residency(far, sealed, readback)) };
}

/** The `count` tokens with the largest weights, without the first ones, which are always there. */
function bestTokens(weights: Float64Array, count: number): number[] {
  const order = Array.from({ length: Math.max(0, weights.length - sinkTokens) }, (_, i) => i + sinkTokens);
  return order.sort((a, b) => weights[b] - weights[a]).slice(0, count);
}

function stepsOf(traced: readonly TracedLayer[]): ReplayedStep[] {
  return [...Map.groupBy(traced, ({ step }) => step).entries()]
    .sort(([a], [b]) => a - b)
    .map(([, layers]) => {
      const sum = (count: (layer: TracedLayer) => number): number => layers.reduce((all, layer) => all + count(layer), 0);
      const shares = layers.flatMap(({ share }) => (share ? [share] : []));
      const mean = (of: 'recall' | 'mass'): number | null => (shares.length > 0 ? shares.reduce((all, share) => all + share[of], 0) / shares.length : null);
      return {
        chosen: sum(({ heads }) => heads.reduce((all, { chosen }) => all + chosen, 0)),
        hits: sum(({ report }) => report.hitKeys),
        fetched: sum(({ report }) => report.fetchedKeys),
        ramReadBytes: sum(({ report }) => report.ramReadBytes),
        diskReadBytes: sum(({ report }) => report.diskReadBytes),
        waitMs: sum(({ report }) => report.waitMs),
        fetchMs: sum(({ report }) => report.fetchMs),
        recall: mean('recall'),
        mass: mean('mass'),
      };
    });
}

/** Slots hold single tokens of single KV heads; what is sealed lies in segments, in RAM or on disk. */
async function residency({ layers, plan, store }: FarContext, sealed: number, readback: InspectionParts['readback']): Promise<{ onGpu: Float32Array; inRam: Float32Array }> {
  const { kvHeads, capacityTokens, segmentTokens } = plan.layout;
  const [onGpu, inRam] = [new Float32Array(sealed), new Float32Array(sealed)];
  for (const { index, memory } of layers) {
    const slots = new Uint16Array((await readback.words(memory.table.slotOf, 0, (kvHeads * capacityTokens) / 2)).buffer);
    for (let token = 0; token < sealed; token++) {
      const fallback = store.inRam(index, Math.floor(token / segmentTokens)) ? inRam : null;
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        const slot = slots[kvHead * capacityTokens + token];
        // The first tokens have places of their own.
        const lies = token < sinkTokens || (slot !== 0 && slot !== onItsWay) ? onGpu : fallback;
        if (lies) lies[token] += 1 / (kvHeads * layers.length);
      }
    }
  }
  return { onGpu, inRam };
}

/** In the books of slots, see engine/kv/tiers/slotTable.ts. */
const onItsWay = 0xffff;
