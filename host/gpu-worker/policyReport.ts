/** What attention did with the keys, for `--json` and the interface. */
import type { ActiveModel } from './activeModel.ts';

/** `keys`: the sequence's length at the end. Keys beyond the GPU are counted over all steps, layers and KV heads. */
export function policyReport(model: ActiveModel, keys: number): Record<string, unknown> {
  const { spec, runner } = model.loaded;
  const { far } = runner;
  const layers = (kind: string): number => spec.blocks.filter(({ mixer }) => mixer.kind === kind).length;
  const window = Math.max(0, ...spec.blocks.map(({ mixer }) => mixer.windowTokens ?? 0));
  const sliding = { layers: layers('sliding'), exact: Math.min(keys, window), estimated: 0, total: keys };
  if (!far || far.sealed === 0) {
    return { name: 'full', budget: null, keys: { full: { layers: layers('full'), exact: keys, estimated: 0, total: keys }, sliding }, dropped: 0 };
  }
  const { total, layerSteps } = far.report;
  const perHead = Math.max(1, layerSteps * far.plan.layout.kvHeads);
  const resident = keys - far.farTokens;
  const { ramBytes, diskBytes, ramReadBytes, diskReadBytes } = far.store.bytes;
  const dropped = Math.round(total.droppedKeys / perHead) + (far.policy.name === 'window' ? far.farTokens : 0);
  return {
    name: far.policy.name,
    budget: far.policy.name === 'full' || far.policy.name === 'window' ? null : far.policy.budget,
    keys: {
      full: {
        layers: layers('full'),
        exact: resident + Math.round(total.exactKeys / perHead),
        estimated: Math.round(total.estimatedKeys / perHead),
        total: keys,
      },
      sliding,
    },
    hitRatio: total.hitKeys + total.missedKeys > 0 ? total.hitKeys / (total.hitKeys + total.missedKeys) : null,
    tiers: { gpuBytes: far.plan.bytes.total, ramBytes, diskBytes, ramReadBytes, diskReadBytes },
    dropped,
    ...(dropped > 0 ? { droppedBecause: far.policy.name === 'window' ? 'the policy “window” attends to the first and the latest tokens only' : 'the policy does not estimate what it does not choose' } : {}),
  };
}
