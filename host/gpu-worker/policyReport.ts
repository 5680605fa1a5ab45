/** What attention did with the keys, for `--json` and the interface. */
import type { PolicyOutcome } from '../contract/entities.ts';
import { constantBytes, keepsState, type ModelSpec } from '../../engine/models/spec.ts';
import type { ActiveModel } from './activeModel.ts';

/** For the interface: a mean over steps, layers and KV heads; `keys` is the sequence's length at the end. */
export function policyOutcome(model: ActiveModel, keys: number): PolicyOutcome {
  const { far } = model.loaded.runner;
  const nowhereElse = { ramBytes: 0, diskBytes: 0, ramReadBytes: 0, diskReadBytes: 0 };
  if (!far || far.sealed === 0) {
    const gpuBytes = model.kvBytes;
    return { name: 'full', totalKeys: keys, exactKeys: keys, estimatedKeys: 0, missedKeys: 0, droppedKeys: 0, droppedBecause: null, hitRatio: null, gpuBytes, ...nowhereElse };
  }
  const { estimatedKeys, missedKeys, droppedKeys, hitRatio } = meanOf(far);
  return {
    name: far.policy.name,
    totalKeys: keys,
    exactKeys: keys - estimatedKeys - missedKeys - droppedKeys,
    estimatedKeys,
    missedKeys,
    droppedKeys,
    droppedBecause: droppedKeys > 0 ? whyDropped(far.policy.name) : null,
    hitRatio,
    gpuBytes: far.plan.bytes.total,
    ramBytes: far.store.bytes.ramBytes,
    diskBytes: far.store.bytes.diskBytes,
    ramReadBytes: far.store.bytes.ramReadBytes,
    diskReadBytes: far.store.bytes.diskReadBytes,
  };
}

type Far = NonNullable<ActiveModel['loaded']['runner']['far']>;

interface MeanKeys {
  exactKeys: number;
  estimatedKeys: number;
  missedKeys: number;
  droppedKeys: number;
  hitRatio: number | null;
}

/** Keys a head, in a step of a layer. */
function meanOf({ report, plan, policy, farTokens }: Far): MeanKeys {
  const { exactKeys, estimatedKeys, missedKeys, droppedKeys, chosenKeys, hitKeys } = report.total;
  const perHead = Math.max(1, report.layerSteps * plan.layout.kvHeads);
  return {
    exactKeys: Math.round(exactKeys / perHead),
    estimatedKeys: Math.round(estimatedKeys / perHead),
    missedKeys: Math.round(missedKeys / perHead),
    droppedKeys: Math.round(droppedKeys / perHead) + (policy.name === 'window' ? farTokens : 0),
    hitRatio: chosenKeys > 0 ? hitKeys / chosenKeys : null,
  };
}

function whyDropped(name: string): string {
  return name === 'window' ? 'the policy “window” attends to the first and the latest tokens only' : 'the policy does not estimate what it does not choose';
}

/** Since the model was loaded. */
function graphReport({ report, usedBytes, indexedKeys }: NonNullable<Far['graphs']>['index']): Record<string, number> {
  const { searches, scoredKeys, allKeys, searchMs, buildMs, droppedQueries } = report;
  return { ramBytes: usedBytes, indexedKeys, scoredShare: allKeys > 0 ? scoredKeys / allKeys : 0, searches, searchMs, buildMs, droppedQueries };
}

/** Of layers that drop tokens: what a head keeps at most, and what it has dropped at least. */
function evictingReport({ blocks }: ModelSpec, keys: number): { evicting?: { layers: number; exact: number; estimated: number; dropped: number; total: number } } {
  const rooms = blocks.flatMap(({ mixer }) => (mixer.kind === 'evicting' ? [mixer.windowTokens + mixer.budgetTokens] : []));
  if (rooms.length === 0) return {};
  const exact = Math.min(keys, ...rooms);
  return { evicting: { layers: rooms.length, exact, estimated: 0, dropped: keys - exact, total: keys } };
}

/** Of sparse layers: what is attended to token by token at most; the rest only by the means of its blocks. */
function sparseReport({ blocks }: ModelSpec, keys: number): { sparse?: { layers: number; exact: number; estimated: number; total: number } } {
  const rooms = blocks.flatMap(({ mixer }) => (mixer.kind === 'sparse' ? [mixer.windowTokens + mixer.chosenBlocks * mixer.blockTokens] : []));
  if (rooms.length === 0) return {};
  const exact = Math.min(keys, ...rooms);
  return { sparse: { layers: rooms.length, exact, estimated: keys - exact, total: keys } };
}

/** `keys`: the sequence's length at the end. Keys beyond the GPU are counted over all steps, layers and KV heads. */
export function policyReport(model: ActiveModel, keys: number): Record<string, unknown> {
  const { spec, runner } = model.loaded;
  const { far } = runner;
  const layers = (kind: string): number => spec.blocks.filter(({ mixer }) => mixer.kind === kind).length;
  const window = Math.max(0, ...spec.blocks.map(({ mixer }) => (mixer.kind === 'sliding' ? (mixer.windowTokens ?? 0) : 0)));
  const sliding = { layers: layers('sliding'), exact: Math.min(keys, window), estimated: 0, total: keys };
  // A state has seen every token and keeps none by itself.
  const states = spec.blocks.flatMap(({ mixer }) => (keepsState(mixer) ? [constantBytes(mixer)] : []));
  const evicting = evictingReport(spec, keys);
  const linear = states.length > 0 ? { linear: { layers: states.length, stateBytes: states.reduce((sum, bytes) => sum + bytes, 0) } } : {};
  if (!far || far.sealed === 0) {
    return { name: 'full', budget: null, keys: { full: { layers: layers('full'), exact: keys, estimated: 0, total: keys }, sliding, ...linear, ...evicting, ...sparseReport(spec, keys) }, dropped: evicting.evicting?.dropped ?? 0 };
  }
  const { exactKeys, estimatedKeys, missedKeys, droppedKeys: dropped, hitRatio } = meanOf(far);
  const resident = keys - far.farTokens;
  const { ramBytes, diskBytes, ramReadBytes, diskReadBytes } = far.store.bytes;
  return {
    name: far.policy.name,
    budget: far.policy.name === 'full' || far.policy.name === 'window' ? null : far.policy.budget,
    keys: {
      full: {
        layers: layers('full'),
        exact: resident + exactKeys,
        estimated: estimatedKeys,
        missed: missedKeys,
        total: keys,
      },
      sliding,
      ...linear,
      ...evicting,
      ...sparseReport(spec, keys),
    },
    hitRatio,
    tiers: { gpuBytes: far.plan.bytes.total, ramBytes, diskBytes, ramReadBytes, diskReadBytes },
    ...(far.graphs && far.policy.name === 'graph' ? { graphs: graphReport(far.graphs.index) } : {}),
    dropped,
    ...(dropped > 0 ? { droppedBecause: whyDropped(far.policy.name) } : {}),
  };
}
