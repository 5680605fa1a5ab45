/** How far back each of a model's layers can see, and what it keeps for that. */
import { stateBytes } from './linearSpec.ts';
import type { ModelSpec } from './spec.ts';

export interface LayerGroup {
  kind: 'full' | 'sliding' | 'linear';
  /** Of `linear` layers. */
  mechanism: string | null;
  /** Numbers of the blocks, from 0. */
  layers: number[];
  /** The latest tokens that such a layer sees one by one; null: all of them. A state has them only as a blend. */
  reachTokens: number | null;
  /** Bytes that a layer keeps whatever the length of the sequence; null where they grow with it. */
  stateBytes: number | null;
}

/** Layers that see alike together, in the order of their first. */
export function layerKinds(spec: ModelSpec): LayerGroup[] {
  const groups = new Map<string, LayerGroup>();
  for (const [layer, { mixer }] of spec.blocks.entries()) {
    const own: Omit<LayerGroup, 'layers'> =
      mixer.kind === 'linear'
        ? { kind: 'linear', mechanism: mixer.mechanism, reachTokens: 0, stateBytes: stateBytes(mixer) }
        : { kind: mixer.kind, mechanism: null, reachTokens: mixer.windowTokens, stateBytes: null };
    const key = JSON.stringify(own);
    const group = groups.get(key) ?? { ...own, layers: [] };
    group.layers.push(layer);
    groups.set(key, group);
  }
  return [...groups.values()];
}
