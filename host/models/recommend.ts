/** Which models of the catalogue suit this machine, the best first: what fits, talks and is large, in that order. */
import type { CatalogueEntry } from '../contract/entities.ts';
import type { Verdict } from '../contract/hub.ts';
import { formatBytes } from '../wording.ts';
import type { Machine } from './verdict.ts';

/** A window that people read documents with. */
const judgedTokens = 32_768;
const order: Verdict['level'][] = ['fits', 'offloads', 'too-large', 'unsupported'];

export interface Recommendation {
  id: string;
  level: Verdict['level'];
  reason: string;
}

export function recommend(catalogue: readonly CatalogueEntry[], machine: Machine): Recommendation[] {
  return catalogue
    .map((entry) => ({ entry, ...judgeEntry(entry, machine) }))
    .sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level) || Number(b.entry.facts.chat) - Number(a.entry.facts.chat) || b.entry.facts.parameters - a.entry.facts.parameters)
    .map(({ entry, level, reason }) => ({ id: entry.id, level, reason }));
}

function judgeEntry({ facts, contextTokens, sizeBytes }: CatalogueEntry, { kind, gpuBytes, ramBytes, diskFreeBytes }: Machine): Omit<Recommendation, 'id'> {
  // On adapters that compute on the processor keys and values are f32.
  const kvBytes = facts.kvBytesPerToken * Math.min(judgedTokens, contextTokens) * (kind === 'software' ? 2 : 1);
  const weights = facts.weightsBytes + facts.fixedBytes;
  const available = kind === 'software' ? ramBytes * 0.9 : (gpuBytes ?? ramBytes / 2);
  if (sizeBytes * 1.05 > diskFreeBytes) return { level: 'too-large', reason: `It needs ${formatBytes(Math.ceil(sizeBytes * 1.05))} on the disk, where ${formatBytes(diskFreeBytes)} are free.` };
  if (weights > available) return { level: 'too-large', reason: `It needs ${formatBytes(weights)}, and there are ${formatBytes(Math.floor(available))}.` };
  const needed = formatBytes(weights + kvBytes);
  if (weights + kvBytes <= available) return { level: 'fits', reason: `Fits this machine: ${needed} with its keys and values.` };
  return { level: 'offloads', reason: `Runs here; of ${needed}, keys and values lie partly in memory and on disk.` };
}
