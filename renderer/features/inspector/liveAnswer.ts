/** What is known of an answer's attention while it is written: what was told, joined token by token. */
import type { Zones } from '../../../host/contract/inspection.ts';
import type { LiveRows, LiveView } from '../../../host/contract/liveAttention.ts';
import { sharesOf } from './decode.ts';

/** What is shown moves with the latest tokens, so many of them. */
const latestTokens = 8;

export interface LiveAnswer {
  view: LiveView;
  /** By token of the answer; by group. */
  zones: readonly (readonly Zones[])[];
  /** By document; by token: shares of its blocks. */
  blocks: readonly (readonly Float32Array[])[];
}

/** Tokens that are told of again take the place of what was. Before the view is known there is nothing to join to. */
export function joined(known: LiveAnswer | undefined, view: LiveView | null, rows: LiveRows): LiveAnswer | undefined {
  const before = view ? { view, zones: [], blocks: view.documents.map((): Float32Array[] => []) } : known;
  if (!before || rows.first > before.zones.length) return before;
  const count = rows.zones.length;
  const cut = <T>(all: readonly T[], more: readonly T[]): T[] => [...all.slice(0, rows.first), ...more, ...all.slice(rows.first + count)];
  return {
    view: before.view,
    zones: cut(before.zones, rows.zones),
    blocks: before.blocks.map((ofDocument, document) => {
      const shares = sharesOf(rows.blocks[document]);
      const columns = shares.length / Math.max(1, count);
      return cut(ofDocument, Array.from({ length: count }, (_, row) => shares.subarray(row * columns, (row + 1) * columns)));
    }),
  };
}

/** Mean share of each block over the latest tokens, or all of them; the prompt's first tokens are left out, as in a ribbon of evidence. */
export function liveProfile({ view, blocks }: LiveAnswer, document: number, tokens: 'latest' | 'all'): Float64Array {
  const rows = tokens === 'latest' ? blocks[document].slice(-latestTokens) : blocks[document];
  const { firstToken, blockTokens, blockStarts } = view.documents[document];
  return Float64Array.from({ length: blockStarts.length - 1 }, (_, block) => (firstToken + block * blockTokens < 16 ? 0 : rows.reduce((sum, shares) => sum + shares[block], 0) / Math.max(1, rows.length)));
}

/** Mean over groups, each as often as it has layers, and over the latest tokens, or all of them. */
export function liveZones({ view, zones }: LiveAnswer, tokens: 'latest' | 'all'): Zones {
  const rows = tokens === 'latest' ? zones.slice(-latestTokens) : zones;
  const layers = view.groups.reduce((sum, group) => sum + group.layers.length, 0);
  const mean = (name: keyof Zones): number => rows.reduce((sum, groups) => sum + groups.reduce((all, shares, group) => all + (shares[name] * view.groups[group].layers.length) / layers, 0), 0) / Math.max(1, rows.length);
  return { sinks: mean('sinks'), recent: mean('recent'), document: mean('document'), other: mean('other') };
}
