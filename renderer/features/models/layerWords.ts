/** Lines that say how far back layers see. */
import type { LayerGroup } from '../../../host/contract/entities.ts';
import { formatBytes, formatCount } from '../../app/format.ts';
import { layerStrings as text } from './layerStrings.ts';

/** More stretches than this are only counted. */
const mostStretches = 3;

/** “Layers 1–3, 5”, counted from 1; many of them by their number only. */
export function layersInWords(layers: readonly number[]): string {
  if (layers.length === 1) return text.one(String(layers[0] + 1));
  const stretches: [number, number][] = [];
  for (const layer of layers) {
    const last = stretches.at(-1);
    if (last?.[1] === layer - 1) last[1] = layer;
    else stretches.push([layer, layer]);
  }
  if (stretches.length > mostStretches) return text.many(layers.length);
  return text.some(stretches.map(([first, last]) => (first === last ? `${first + 1}` : `${first + 1}–${last + 1}`)).join(', '));
}

export function sightInWords({ kind, mechanism, reachTokens, budgetTokens, stateBytes }: LayerGroup): string {
  const [reach, budget, state] = [formatCount(reachTokens ?? 0), formatCount(budgetTokens ?? 0), formatBytes(stateBytes ?? 0)];
  switch (kind) {
    case 'full':
      return text.full;
    case 'sliding':
      return text.sliding(reach);
    case 'linear':
      return text.linear(state, mechanism ?? '');
    case 'sparse':
      return text.sparse(reach, budget);
    case 'evicting':
      return text.evicting(reach, budget, state);
  }
}

/** Of layers whose attention the inspector does not show; null where there are none. */
export function unseenInWords(groups: readonly LayerGroup[]): string | null {
  const unseen = groups.filter(({ kind }) => kind !== 'full' && kind !== 'sliding').flatMap(({ layers }) => layers);
  return unseen.length === 0 ? null : text.unseen(layersInWords(unseen.toSorted((a, b) => a - b)));
}
