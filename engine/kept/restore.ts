/** Begins a sequence with what was kept: keys and values go back into the caches, nothing is computed again. */
import type { Device } from '../device/device.ts';
import { KvCache } from '../kv/cache.ts';
import type { FarContext } from '../kv/tiers/farContext.ts';
import { indexRanges } from '../kv/tiers/indexRanges.ts';
import type { KvLayout } from '../layers/attention/layout.ts';
import type { KeptSegment } from '../ports.ts';
import { StateCache } from '../layers/recurrent/stateCache.ts';
import type { Runner } from '../runner.ts';
import type { Sequence } from '../sequence.ts';
import { headRuns, rowBytesOf } from './cacheRuns.ts';
import { KeptRuns } from './keptRuns.ts';
import { KeptVectors } from './keptVectors.ts';
import { bring, type KeptPiece, type Load, loadsOf, mostLoadBytes } from './loads.ts';
import { indexPart, keysPart, statePart, valuesPart, windowKeysPart, windowValuesPart } from './parts.ts';

/**
 * The segments that the model's layers can begin with: every part must be there that they look back on. A prompt of
 * `promptTokens` is computed from its last token on at the latest, which a state must not have seen.
 */
export function usableSegments(runner: Runner, segments: readonly KeptSegment[], promptTokens = Infinity): readonly KeptSegment[] {
  for (let count = segments.length; count > 0; count--) {
    const length = segments[count - 1].position + segments[count - 1].tokenCount;
    const complete = runner.caches.every((cache, block) => {
      const some = segments.slice(0, count);
      if (cache instanceof StateCache) return length < promptTokens && segments[count - 1].parts.get(statePart(block)) === cache.sizeBytes;
      if (cache instanceof KvCache && cache.windowTokens !== null) return windowFrom(cache, block, some) <= Math.max(0, length - cache.windowTokens);
      return some.every(({ parts }) => parts.has(keysPart(block)));
    });
    if (complete) return segments.slice(0, count);
  }
  return [];
}

/** The shape in which the far layers' store reads kept vectors; null when nothing is far. */
export function keptRunsOf(runner: Runner, vectors: KeptVectors): KeptRuns | null {
  const { far } = runner;
  if (!far) return null;
  const { kvHeads, segmentTokens } = far.plan.layout;
  return new KeptRuns(vectors, { kvHeads, segmentTokens, recordBytes: 4 * far.words, blocks: far.layers.map(({ memory }) => runner.caches.indexOf(memory)) });
}

export interface RestoreOptions {
  /** More segments will be kept while the sequence grows. */
  growing: boolean;
}

/**
 * `segments` must be usable and hold the first of `tokens`; the sequence then has just these. Nothing is left of it
 * when a segment cannot be read.
 */
export async function restore(
  device: Device,
  { runner, sequence }: { runner: Runner; sequence: Sequence },
  tokens: readonly number[],
  segments: readonly KeptSegment[],
  options: RestoreOptions,
): Promise<void> {
  sequence.clear();
  await runner.truncate(0);
  try {
    const { length, ringsFrom } = await fillCaches(device, runner, segments, options);
    sequence.adopt(tokens.slice(0, length), ringsFrom);
  } catch (error) {
    runner.far?.store.truncate(0);
    throw error;
  }
}

async function fillCaches(device: Device, runner: Runner, segments: readonly KeptSegment[], { growing }: RestoreOptions): Promise<{ length: number; ringsFrom: number }> {
  const vectors = new KeptVectors(segments);
  const length = vectors.tokens;
  let ringsFrom = 0;
  const blocks: KeptBlock[] = [];
  for (const [block, cache] of runner.caches.entries()) {
    if (cache instanceof StateCache) await fillState(cache, block, segments);
    if (!(cache instanceof KvCache)) continue;
    cache.noteFilled();
    const slides = cache.windowTokens !== null;
    const from = slides ? windowFrom(cache, block, segments) : 0;
    ringsFrom = Math.max(ringsFrom, from);
    blocks.push({ block, cache, from });
  }
  await bring(device, loadsOf(cachePieces(blocks, segments)));
  const { far } = runner;
  const runs = keptRunsOf(runner, vectors);
  if (far && runs) {
    far.store.adopt(runs, Math.floor(length / far.plan.layout.segmentTokens), { growing });
    await far.adopt(length, far.plan.pages ? new Set() : await fillIndex(device, runner, segments));
    far.store.truncate(far.sealed / far.plan.layout.segmentTokens);
  }
  return { length, ringsFrom };
}

async function fillState(cache: StateCache, block: number, segments: readonly KeptSegment[]): Promise<void> {
  const last = segments[segments.length - 1];
  const [state] = await last.read([{ part: statePart(block), offsetBytes: 0, lengthBytes: cache.sizeBytes }]);
  cache.adopt(state, last.position + last.tokenCount);
}

/** From which position on the segments hold a sliding block without a gap; no further back than its ring reaches. */
function windowFrom({ layout }: KvCache, block: number, segments: readonly KeptSegment[]): number {
  const last = segments.at(-1);
  const length = last ? last.position + last.tokenCount : 0;
  let from = length;
  for (const { position, tokenCount, parts } of segments.toReversed()) {
    const tokens = heldTokens(parts.get(windowKeysPart(block)), layout);
    from = position + tokenCount - tokens;
    if (tokens < tokenCount) break;
  }
  return Math.max(from, length - layout.capacitySlots);
}

function heldTokens(bytes: number | undefined, layout: KvLayout): number {
  return (bytes ?? 0) / (layout.kvHeads * rowBytesOf(layout));
}

/** A block's cache, and the first position that goes back into it. */
interface KeptBlock {
  block: number;
  cache: KvCache;
  from: number;
}

/** Segment by segment, so that each file is read once, from its beginning to its end. */
function* cachePieces(blocks: readonly KeptBlock[], segments: readonly KeptSegment[]): Generator<KeptPiece> {
  for (const segment of segments) {
    const end = segment.position + segment.tokenCount;
    for (const { block, cache, from } of blocks) {
      if (end <= from) continue;
      const { layout } = cache;
      const slides = cache.windowTokens !== null;
      const rowBytes = rowBytesOf(layout);
      const held = slides ? heldTokens(segment.parts.get(windowKeysPart(block)), layout) : segment.tokenCount;
      const names = slides ? [windowKeysPart(block), windowValuesPart(block)] : [keysPart(block), valuesPart(block)];
      const most = Math.floor(mostLoadBytes / rowBytes);
      const first = Math.max(from, end - held);
      // Whole heads lie one behind the other: each read and each check costs the thread that asks for it.
      const headsAtOnce = first === end - held ? Math.max(1, Math.floor(most / held)) : 1;
      for (const [half, buffer] of [cache.keys, cache.values].entries()) {
        const piece = (head: number, heads: number, begin: number, count: number): KeptPiece => ({
          segment,
          part: names[half],
          offsetBytes: (head * held + begin - (end - held)) * rowBytes,
          lengthBytes: heads * count * rowBytes,
          targets: Array.from({ length: heads }, (_, i) => headRuns(layout, head + i, begin, count))
            .flat()
            .map(({ offsetBytes, sizeBytes }) => ({ buffer, to: offsetBytes, sizeBytes })),
        });
        for (let head = 0; head < layout.kvHeads; head += headsAtOnce) {
          const heads = Math.min(headsAtOnce, layout.kvHeads - head);
          for (let at = first; at < end; at += most) yield piece(head, heads, at, Math.min(most, end - at));
        }
      }
    }
  }
}

/** Puts the kept index back; returns which far segments have theirs. */
async function fillIndex(device: Device, runner: Runner, segments: readonly KeptSegment[]): Promise<Set<number>> {
  const { far } = runner;
  if (!far) return new Set();
  const { layout } = far.plan;
  const names = far.layers.map(({ memory }) => indexPart(runner.caches.indexOf(memory), layout));
  /** By far segment: whose part holds its index, as which of those in there. */
  const places: IndexPlace[] = [];
  for (const kept of segments) {
    if (!names.every((name) => kept.parts.has(name))) continue;
    const begin = Math.ceil(kept.position / layout.segmentTokens);
    const end = Math.floor((kept.position + kept.tokenCount) / layout.segmentTokens);
    for (let segment = begin; segment < end; segment++) places.push({ kept, segment, within: segment - begin });
  }
  await bring(device, indexLoads(far, names, places));
  return new Set(places.map(({ segment }) => segment));
}

interface IndexPlace {
  kept: KeptSegment;
  segment: number;
  within: number;
}

/** As many segments at a time as have room: a buffer then takes its share of all of them in one copy. */
function* indexLoads({ layers, plan: { layout } }: FarContext, names: readonly string[], places: readonly IndexPlace[]): Generator<Load> {
  for (let first = 0; first < places.length; ) {
    const segmentBytes = sumOf(indexRanges(layers[0].memory, layout, 0));
    let count = 1;
    while (first + count < places.length && places[first + count].segment === places[first].segment + count && (count + 1) * segmentBytes <= mostLoadBytes) count++;
    const together = places.slice(first, first + count);
    for (const [index, { memory }] of layers.entries()) {
      const ranges = indexRanges(memory, layout, places[first].segment);
      const copies = ranges.map(({ buffer, offsetBytes, sizeBytes }, range) => ({ from: count * sumOf(ranges.slice(0, range)), buffer, to: offsetBytes, sizeBytes: count * sizeBytes }));
      const fetch = async (target: Uint8Array): Promise<void> => {
        await Promise.all(
          together.map(async ({ kept, within }, place) => {
            const [bytes] = await kept.read([{ part: names[index], offsetBytes: within * segmentBytes, lengthBytes: segmentBytes }]);
            let offset = 0;
            for (const [range, { sizeBytes }] of ranges.entries()) {
              target.set(bytes.subarray(offset, offset + sizeBytes), copies[range].from + place * sizeBytes);
              offset += sizeBytes;
            }
          }),
        );
      };
      yield { sizeBytes: count * segmentBytes, fetch, copies };
    }
    first += count;
  }
}

function sumOf(ranges: readonly { sizeBytes: number }[]): number {
  return ranges.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
