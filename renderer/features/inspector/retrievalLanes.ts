/** What a policy did with a document, as strips of colours: what it chose, what was best, what was missed, where it lies. */
import type { Retrieval, RetrievalDocument } from '../../../host/contract/inspection.ts';
import { brightness, css, mixed, tierColours, viridis } from './colours.ts';
import { floatsOf } from './decode.ts';

export const lanes = ['returned', 'best', 'missed', 'where'] as const;
export type Lane = (typeof lanes)[number];

export const tiers = ['onGpu', 'inRam', 'onDisk'] as const;

type Shares = Record<'far' | 'returned' | 'best' | 'missed' | (typeof tiers)[number], Float32Array>;
const decoded = new WeakMap<RetrievalDocument, Shares>();

export function sharesOf(document: RetrievalDocument): Shares {
  const known = decoded.get(document);
  if (known) return known;
  const { far, returned, best, missed, onGpu, inRam, onDisk } = document;
  const read = { far: floatsOf(far), returned: floatsOf(returned), best: floatsOf(best), missed: floatsOf(missed), onGpu: floatsOf(onGpu), inRam: floatsOf(inRam), onDisk: floatsOf(onDisk) };
  decoded.set(document, read);
  return read;
}

/** null where everything is attended to anyway, and so nothing can be chosen. */
export function colourOf(lane: Lane, document: RetrievalDocument, block: number): string | null {
  const shares = sharesOf(document);
  if (lane === 'where') return css(mixed(tiers.map((tier) => [tierColours[tier], shares[tier][block]])));
  return shares.far[block] === 0 ? null : css(viridis(brightness(shares[lane][block])));
}

export interface RetrievalNumbers {
  /** Means over the sampled steps; null where none was. */
  recall: number | null;
  missed: number | null;
  /** Of the chosen keys, those that were there. */
  hits: number | null;
  /** A step. */
  waitMs: number;
  fetchMs: number;
  ramReadBytes: number;
  diskReadBytes: number;
}

export function numbersOf({ steps }: Retrieval): RetrievalNumbers {
  const mean = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  };
  const mass = mean(steps.map((step) => step.mass));
  const chosen = steps.reduce((sum, step) => sum + step.chosen, 0);
  const each = (of: 'waitMs' | 'fetchMs' | 'ramReadBytes' | 'diskReadBytes'): number => mean(steps.map((step) => step[of])) ?? 0;
  return {
    recall: mean(steps.map((step) => step.recall)),
    missed: mass === null ? null : 1 - mass,
    hits: chosen > 0 ? steps.reduce((sum, step) => sum + step.hits, 0) / chosen : null,
    waitMs: each('waitMs'),
    fetchMs: each('fetchMs'),
    ramReadBytes: each('ramReadBytes'),
    diskReadBytes: each('diskReadBytes'),
  };
}
