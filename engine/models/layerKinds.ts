/** How far back each of a model's layers can see, and what it keeps for that. */
import { constantBytes, type MixerSpec, type ModelSpec } from './spec.ts';

export interface LayerGroup {
  kind: 'full' | 'sliding' | 'sparse' | 'evicting' | 'linear';
  /** Of `linear` layers. */
  mechanism: string | null;
  /** Numbers of the blocks, from 0. */
  layers: number[];
  /** The latest tokens that such a layer is sure to see one by one; null: all of them. A state has them only as a blend. */
  reachTokens: number | null;
  /** Tokens behind those that an `evicting` layer keeps, or a `sparse` one attends to one by one, at most; null in others. */
  budgetTokens: number | null;
  /** Bytes that a layer keeps whatever the length of the sequence; null where they grow with it. */
  stateBytes: number | null;
}

/** Layers that see alike together, in the order of their first. */
export function layerKinds(spec: ModelSpec): LayerGroup[] {
  const groups = new Map<string, LayerGroup>();
  for (const [layer, { mixer }] of spec.blocks.entries()) {
    const own = sightOf(mixer);
    const key = JSON.stringify(own);
    const group = groups.get(key) ?? { ...own, layers: [] };
    group.layers.push(layer);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function sightOf(mixer: MixerSpec): Omit<LayerGroup, 'layers'> {
  const none = { mechanism: null, budgetTokens: null, stateBytes: null };
  switch (mixer.kind) {
    case 'linear':
      return { ...none, kind: 'linear', mechanism: mixer.mechanism, reachTokens: 0, stateBytes: constantBytes(mixer) };
    case 'evicting':
      return { ...none, kind: 'evicting', reachTokens: mixer.windowTokens, budgetTokens: mixer.budgetTokens, stateBytes: constantBytes(mixer) };
    case 'sparse':
      return { ...none, kind: 'sparse', reachTokens: mixer.windowTokens, budgetTokens: mixer.chosenBlocks * mixer.blockTokens };
    default:
      return { ...none, kind: mixer.kind, reachTokens: mixer.windowTokens };
  }
}
